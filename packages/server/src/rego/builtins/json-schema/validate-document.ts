import { isArray, isObject, isRegoNumber, type RegoNumber, type RegoValue } from '../../values/rego-value.ts';
import { BuiltinLimit } from '../builtin.ts';
import type { Charge } from '../charge.ts';
import { applyCombinations } from './apply-combinations.ts';
import { applyToArray, applyToObject } from './apply-to-members.ts';
import { applyToNumber, applyToString, applyToValue } from './apply-to-scalar.ts';
import { exactNumberOf, isWhole } from './exact-number.ts';
import { ROOT, SchemaResult, type Place } from './schema-result.ts';
import type { SubSchema } from './sub-schema.ts';
import type { Finding, Validation } from './validation.ts';

/** A schema that refers to itself beside nothing would go on for ever. */
const MAX_DEPTH = 1000;

export function validateDocument(schema: SubSchema, document: RegoValue, charge: Charge): SchemaResult {
  let depth = 0;
  const validation: Validation = { charge, apply, ask };
  return ask(schema, document, ROOT);

  function ask(asked: SubSchema, value: RegoValue, place: Place): SchemaResult {
    const result = new SchemaResult(charge);
    apply(asked, value, { place, result });
    return result;
  }

  function apply(written: SubSchema, value: RegoValue, at: Finding): void {
    charge(20);
    const asked = followTargets(written, charge);
    if (asked.verdict !== undefined) {
      if (!asked.verdict) at.result.add('false', at.place, 'False always fails validation');
      return;
    }
    const type = typeName(value, asked, charge);
    if (asked.types.length > 0 && !isOfType(type, asked)) {
      const expected = asked.types.length === 1 ? asked.types[0] : `[${asked.types.join(',')}]`;
      at.result.add('invalid_type', at.place, `Invalid type. Expected: ${expected}, given: ${type}`);
      return;
    }
    if (depth >= MAX_DEPTH) throw new BuiltinLimit('a JSON schema that is followed too deeply');
    depth++;
    applyCombinations(asked, value, at, validation);
    applyByType(asked, value, at, validation);
    depth--;
    at.result.score++;
  }
}

function followTargets(schema: SubSchema, charge: Charge): SubSchema {
  let at = schema;
  while (at.target !== undefined) {
    charge(1);
    at = at.target;
  }
  return at;
}

function applyByType(schema: SubSchema, value: RegoValue, at: Finding, validation: Validation): void {
  if (isArray(value)) {
    applyToArray(schema, value, at, validation);
    applyToValue(schema, value, at, validation);
  } else if (isObject(value)) {
    applyToObject(schema, value, at, validation);
    applyToValue(schema, value, at, validation);
    for (const [name, part] of schema.properties) {
      validation.charge(1);
      const member = value.get(name);
      if (member !== undefined)
        validation.apply(part, member, { place: { name, above: at.place }, result: at.result });
    }
  } else {
    if (isNumber(value)) applyToNumber(schema, value, at, validation);
    applyToValue(schema, value, at, validation);
    if (typeof value === 'string') applyToString(schema, value, at, validation);
  }
}

function isNumber(value: RegoValue): value is RegoNumber {
  return value !== null && isRegoNumber(value);
}

function typeName(value: RegoValue, { types }: SubSchema, charge: Charge): string {
  if (value === null) return 'null';
  if (isRegoNumber(value)) {
    // Most schemas say what they want, and then it is not needed to know more.
    const isKnown = types.length === 0 || types.includes('number');
    return !isKnown && isWhole(exactNumberOf(value, charge)) ? 'integer' : 'number';
  }
  if (isArray(value)) return 'array';
  return isObject(value) ? 'object' : typeof value;
}

function isOfType(type: string, { types }: SubSchema): boolean {
  return types.includes(type) || (type === 'integer' && types.includes('number'));
}

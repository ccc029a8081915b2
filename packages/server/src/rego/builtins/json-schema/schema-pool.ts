import { isArray, isObject, type RegoObject, type RegoValue } from '../../values/rego-value.ts';
import { BuiltinFailure } from '../builtin.ts';
import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import {
  isCanonical,
  NO_REFERENCE,
  parseReference,
  pointerOf,
  referenceText,
  resolveReference,
  type JsonReference,
} from './json-reference.ts';
import { draftOfAddress, metaSchema } from './meta-schemas.ts';
import type { Draft } from './sub-schema.ts';

export interface PooledDocument {
  readonly document: RegoValue;
  /** Absent when it names none. */
  readonly draft: Draft | undefined;
}

/** All documents and parts of them that a `$ref` may name. */
export interface SchemaPool {
  /** Where the `$ref` of a schema leads: resolved against the `$id`s around it. */
  targetOf(schema: RegoObject, written: string): JsonReference;
  /** What is there; fails when it is nowhere, or elsewhere: nothing is fetched. */
  find(reference: JsonReference): PooledDocument;
}

/** Members that are no schemas: what they hold says nothing about references. */
const LITERAL: ReadonlySet<RegoValue> = new Set(['const', 'enum']);
/** Members whose own members are schemas, whatever they are called. */
const NAMED: ReadonlySet<RegoValue> = new Set(['properties', 'dependencies', 'patternProperties']);

export function createSchemaPool(root: RegoValue, charge: Charge): SchemaPool {
  const documents = new Map<string, PooledDocument>();
  const targets = new Map<RegoObject, JsonReference>();
  add(root, NO_REFERENCE);

  function add(document: RegoValue, reference: JsonReference): PooledDocument {
    const pooled = { document, draft: draftOf(document) };
    collect(document, reference, pooled.draft);
    documents.set(referenceText(reference), pooled);
    return pooled;
  }

  function collect(value: RegoValue, base: JsonReference, draft: Draft | undefined): void {
    charge(2);
    if (isArray(value)) for (const item of value) collect(item, base, draft);
    if (!isObject(value)) return;
    const own = resolved(base, value.get('id') ?? value.get('$id'));
    if (own !== undefined) {
      const text = referenceText(own);
      if (documents.has(text)) fail(`Reference already exists: "${text}"`);
      documents.set(text, { document: value, draft });
    }
    const inner = own ?? base;
    const target = resolved(inner, value.get('$ref'));
    if (target !== undefined) targets.set(value, target);
    for (const [key, item] of value) {
      if (LITERAL.has(key)) continue;
      if (!NAMED.has(key)) collect(item, inner, draft);
      else if (isObject(item)) for (const part of item.values()) collect(part, inner, draft);
    }
  }

  /** What cannot be read says so when the schema around it is. */
  function resolved(base: JsonReference, written: RegoValue | undefined): JsonReference | undefined {
    if (typeof written !== 'string') return undefined;
    charge(60 + ((base.path.length + written.length) >> 4));
    try {
      return resolveReference(base, parseReference(written));
    } catch (error) {
      if (error instanceof BuiltinFailure) return undefined;
      throw error;
    }
  }

  function find(reference: JsonReference): PooledDocument {
    const text = referenceText(reference);
    const known = documents.get(text);
    if (known !== undefined) return known;
    const whole = { ...reference, fragment: '' };
    const found = documents.get(referenceText(whole)) ?? load(whole, text);
    const part = { document: followPointer(found.document, reference), draft: found.draft };
    documents.set(text, part);
    return part;
  }

  function load(whole: JsonReference, text: string): PooledDocument {
    if (!isCanonical(whole)) fail(`Reference ${text} must be canonical`);
    const document = metaSchema(referenceText(whole));
    return document === undefined ? fail(`remote reference loading disabled: ${text}`) : add(document, whole);
  }

  function followPointer(document: RegoValue, reference: JsonReference): RegoValue {
    const steps = pointerOf(reference);
    charge(1 + steps.length);
    return steps.reduce(stepInto, document);
  }

  return {
    targetOf: (schema, written) => targets.get(schema) ?? parseReference(written),
    find,
  };
}

function stepInto(value: RegoValue, step: string): RegoValue {
  if (isObject(value)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    return value.get(key) ?? (value.has(key) ? null : fail(`Object has no key '${key}'`));
  }
  if (!isArray(value)) return fail(`Invalid token reference '${step}'`);
  if (!/^[+-]?\d{1,18}$/.test(step)) return fail(`Invalid array index '${step}'`);
  const index = Number(step);
  return (
    value[index] ?? (index in value ? null : fail(`Out of bound array[0,${value.length}] index '${index}'`))
  );
}

/** By its `$schema`. */
export function draftOf(document: RegoValue): Draft | undefined {
  if (typeof document === 'boolean') return undefined;
  if (!isObject(document)) return fail('schema is invalid');
  const named = document.get('$schema');
  if (named === undefined) return undefined;
  if (typeof named !== 'string') return fail('$schema must be of type string');
  return draftOfAddress(referenceText(parseReference(named)));
}

import { isObject, type RegoValue } from '../../values/rego-value.ts';
import type { SchemaResult } from './schema-result.ts';
import type { SubSchema } from './sub-schema.ts';
import type { Finding, Validation } from './validation.ts';

type Apply = (schema: SubSchema, value: RegoValue, at: Finding, validation: Validation) => void;

/** What a schema says by other ones. */
export function applyCombinations(
  schema: SubSchema,
  value: RegoValue,
  at: Finding,
  validation: Validation,
): void {
  for (const apply of STEPS) apply(schema, value, at, validation);
  at.result.score++;
}

const STEPS: readonly Apply[] = [
  ({ anyOf }, value, { place, result }, { ask }) => {
    if (anyOf.length === 0) return;
    let best: SchemaResult | undefined;
    for (const schema of anyOf) {
      const answer = ask(schema, value, place);
      if (answer.isValid) return;
      best = better(best, answer);
    }
    result.add('number_any_of', place, 'Must validate at least one schema (anyOf)');
    if (best !== undefined) result.merge(best);
  },
  ({ oneOf }, value, { place, result }, { ask }) => {
    if (oneOf.length === 0) return;
    let valid = 0;
    let best: SchemaResult | undefined;
    for (const schema of oneOf) {
      const answer = ask(schema, value, place);
      if (answer.isValid) valid++;
      else if (valid === 0) best = better(best, answer);
    }
    if (valid === 1) return;
    result.add('number_one_of', place, 'Must validate one and only one schema (oneOf)');
    if (valid === 0 && best !== undefined) result.merge(best);
  },
  ({ allOf }, value, { place, result }, { ask }) => {
    let isValid = true;
    for (const schema of allOf) {
      const answer = ask(schema, value, place);
      isValid &&= answer.isValid;
      result.merge(answer);
    }
    if (!isValid) result.add('number_all_of', place, 'Must validate all the schemas (allOf)');
  },
  ({ not }, value, { place, result }, { ask }) => {
    if (not !== undefined && ask(not, value, place).isValid)
      result.add('number_not', place, 'Must not validate the schema (not)');
  },
  applyDependencies,
  applyCondition,
];

function better(best: SchemaResult | undefined, answer: SchemaResult): SchemaResult {
  return best === undefined || answer.score > best.score ? answer : best;
}

function applyDependencies(schema: SubSchema, value: RegoValue, at: Finding, validation: Validation): void {
  if (schema.dependencies.size === 0 || !isObject(value)) return;
  for (const name of value.keys()) {
    validation.charge(1);
    const dependency = schema.dependencies.get(name as string);
    if (dependency === undefined) continue;
    if ('types' in dependency) {
      validation.apply(dependency, value, at);
      continue;
    }
    for (const needed of dependency) {
      validation.charge(1);
      if (!value.has(needed)) at.result.add('missing_dependency', at.place, `Has a dependency on ${needed}`);
    }
  }
}

function applyCondition(
  { if: condition, then, else: otherwise }: SubSchema,
  value: RegoValue,
  { place, result }: Finding,
  { ask }: Validation,
): void {
  if (condition === undefined) return;
  const holds = ask(condition, value, place).isValid;
  const wanted = holds ? then : otherwise;
  if (wanted === undefined) return;
  const answer = ask(wanted, value, place);
  if (answer.isValid) return;
  if (holds) result.add('condition_then', place, 'Must validate "then" as "if" was valid');
  else result.add('condition_else', place, 'Must validate "else" as "if" was not valid');
  result.merge(answer);
}

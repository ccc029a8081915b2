import { findMatches } from '../../../kernel/regex/run-regex.ts';
import type { RegoArray, RegoObject, RegoValue } from '../../values/rego-value.ts';
import { comparableText } from './schema-document.ts';
import type { Place, SchemaResult } from './schema-result.ts';
import type { SubSchema } from './sub-schema.ts';
import type { Finding, Validation } from './validation.ts';

export function applyToArray(
  schema: SubSchema,
  values: RegoArray,
  at: Finding,
  validation: Validation,
): void {
  const { place, result } = at;
  applyItems(schema, values, at, validation);
  const { minItems, maxItems } = schema.sizes;
  if (minItems !== undefined && values.length < minItems)
    result.add('array_min_items', place, `Array must have at least ${minItems} items`);
  if (maxItems !== undefined && values.length > maxItems)
    result.add('array_max_items', place, `Array must have at most ${maxItems} items`);
  if (schema.uniqueItems === true) applyUnique(values, at, validation);
  if (schema.contains !== undefined) applyContains(schema.contains, values, at, validation);
  result.score++;
}

function applyItems(schema: SubSchema, values: RegoArray, at: Finding, { ask }: Validation): void {
  const { items, additionalItems } = schema;
  if (items === undefined) return;
  const askItem = (asked: SubSchema, index: number): void =>
    at.result.merge(ask(asked, values[index] as RegoValue, itemPlace(index, at.place)));
  if ('types' in items) {
    for (const index of values.keys()) askItem(items, index);
    return;
  }
  for (const [index, item] of items.slice(0, values.length).entries()) askItem(item, index);
  if (items.length === 0 || items.length >= values.length) return;
  if (additionalItems === false)
    at.result.add('array_no_additional_items', at.place, 'No additional items allowed on array');
  if (typeof additionalItems !== 'object') return;
  for (let index = items.length; index < values.length; index++) askItem(additionalItems, index);
}

function applyUnique(values: RegoArray, { place, result }: Finding, { charge }: Validation): void {
  const places = new Map<string, number>();
  for (const [index, value] of values.entries()) {
    const text = comparableText(value, charge);
    const earlier = places.get(text);
    if (earlier !== undefined) result.add('unique', place, `array items[${earlier},${index}] must be unique`);
    places.set(text, index);
  }
}

function applyContains(
  contains: SubSchema,
  values: RegoArray,
  { place, result }: Finding,
  { ask }: Validation,
): void {
  let best: SchemaResult | undefined;
  for (const [index, value] of values.entries()) {
    const answer = ask(contains, value, itemPlace(index, place));
    if (answer.isValid) return;
    if (best === undefined || answer.score > best.score) best = answer;
  }
  result.add('contains', place, 'At least one of the items must match');
  if (best !== undefined) result.merge(best);
}

function itemPlace(index: number, above: Place): Place {
  return { name: String(index), above };
}

export function applyToObject(
  schema: SubSchema,
  object: RegoObject,
  at: Finding,
  validation: Validation,
): void {
  const { place, result } = at;
  const { minProperties, maxProperties } = schema.sizes;
  if (minProperties !== undefined && object.size < minProperties)
    result.add('array_min_properties', place, `Must have at least ${minProperties} properties`);
  if (maxProperties !== undefined && object.size > maxProperties)
    result.add('array_max_properties', place, `Must have at most ${maxProperties} properties`);
  for (const name of schema.required) {
    validation.charge(1);
    if (object.has(name)) result.score++;
    else result.add('required', place, `${name} is required`);
  }
  applyFurther(schema, object, at, validation);
  if (schema.propertyNames !== undefined) applyNames(schema.propertyNames, object, at, validation);
  result.score++;
}

/** `patternProperties`, and `additionalProperties` for what neither they nor `properties` name. */
function applyFurther(schema: SubSchema, object: RegoObject, at: Finding, validation: Validation): void {
  const { additionalProperties, patternProperties, properties } = schema;
  if (additionalProperties === undefined && patternProperties.length === 0) return;
  for (const [key, value] of object) {
    const name = key as string;
    const inside = { name, above: at.place };
    validation.charge(1);
    const isMatched = applyPatterns(schema, value, { place: inside, result: at.result }, validation);
    if (isMatched || properties.has(name)) continue;
    if (additionalProperties === false) {
      const description = `Additional property ${name} is not allowed`;
      at.result.add('additional_property_not_allowed', at.place, description);
    } else if (typeof additionalProperties === 'object') {
      at.result.merge(validation.ask(additionalProperties, value, inside));
    }
  }
}

/** Whether a pattern matches the name of the place. */
function applyPatterns(
  { patternProperties }: SubSchema,
  value: RegoValue,
  { place, result }: Finding,
  { ask, charge }: Validation,
): boolean {
  let isMatched = false;
  for (const { program, schema } of patternProperties) {
    if (findMatches(program, place.name, { limit: 1, charge, isTest: true }).length === 0) continue;
    isMatched = true;
    result.merge(ask(schema, value, place));
  }
  if (isMatched) result.score++;
  return isMatched;
}

function applyNames(
  names: SubSchema,
  object: RegoObject,
  { place, result }: Finding,
  { ask }: Validation,
): void {
  for (const name of object.keys()) {
    const answer = ask(names, name, place);
    if (answer.isValid) continue;
    result.add('invalid_property_name', place, `Property name of "${name as string}" does not match`);
    result.merge(answer);
  }
}

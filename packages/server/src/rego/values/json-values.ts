import type { JsonObject, JsonValue } from '@portcullis/contract';
import { stringifyExact } from '../../kernel/json/json-document.ts';
import { isRawNumber } from '../../kernel/json/exact-json.ts';
import { sortedEntries } from './compare-values.ts';
import { isArray, isRegoNumber, RegoSet, type RegoValue } from './rego-value.ts';
import { printValue } from './print-value.ts';

/** Of a document; a member without a value is none. */
export function fromJson(value: JsonValue): RegoValue {
  if (value === null || typeof value !== 'object' || isRawNumber(value)) return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(fromJson);
  const object = new Map<RegoValue, RegoValue>();
  for (const [key, item] of Object.entries(value as JsonObject)) {
    if (item !== undefined) object.set(key, fromJson(item));
  }
  return object;
}

/** Sets become sorted arrays, and keys that are no strings their text. */
export function toJson(value: RegoValue): JsonValue {
  if (value === null || typeof value !== 'object' || isRegoNumber(value)) return value;
  if (isArray(value)) return value.map(toJson);
  if (value instanceof RegoSet) return value.members.map(toJson);
  return Object.fromEntries(sortedEntries(value).map(([key, item]) => [jsonKey(key), toJson(item)] as const));
}

/** JSON text of a value, members in the order of their keys (unlike JavaScript's, which puts integers first). */
export function jsonText(value: RegoValue): string {
  if (value === null || typeof value !== 'object' || isRegoNumber(value)) return stringifyExact(value);
  if (isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (value instanceof RegoSet) return `[${value.members.map(jsonText).join(',')}]`;
  const members = sortedEntries(value).map(
    ([key, item]) => `${JSON.stringify(jsonKey(key))}:${jsonText(item)}`,
  );
  return `{${members.join(',')}}`;
}

export function jsonKey(key: RegoValue): string {
  return typeof key === 'string' ? key : printValue(key);
}

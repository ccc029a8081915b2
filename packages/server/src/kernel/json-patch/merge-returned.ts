import type { JsonObject, JsonValue } from '@portcullis/contract';
import { isRawNumber } from '../json/exact-json.ts';
import { isJsonArray, isJsonObject } from '../json/json-equal.ts';
import { alignArrays } from './align-arrays.ts';
import { setMember } from './json-draft.ts';
import { formatPointer, parsePointer } from './json-pointer.ts';

/** Maps whose keys belong to the user: a guest with types of its own cannot lose one by not knowing it. */
const STRING_MAPS: ReadonlySet<string> = new Set([
  'labels',
  'annotations',
  'data',
  'binaryData',
  'stringData',
  'nodeSelector',
  'matchLabels',
  'limits',
  'requests',
  'parameters',
]);

export interface Merged {
  readonly value: JsonValue;
  /** JSON pointers, in the object as it was, of fields that were not returned and stay. */
  readonly kept: readonly string[];
}

/**
 * The object that a guest meant by the one that it returned. A field that the guest's types do not know is missing from its
 * answer, and so is one that it removed: the first is put back, the second only where the two can be told apart.
 */
export function mergeReturned(before: JsonObject, after: JsonObject, removable: readonly string[]): Merged {
  const merge: Merge = { kept: [], removable: removable.map(parsePattern) };
  return { value: mergeObject(merge, before, after, []), kept: merge.kept };
}

interface Merge {
  readonly kept: string[];
  readonly removable: readonly (readonly string[])[];
}

type Path = readonly string[];

function mergeValue(merge: Merge, before: JsonValue, after: JsonValue, path: Path): JsonValue {
  if (isJsonObject(before) && isJsonObject(after)) return mergeObject(merge, before, after, path);
  if (isJsonArray(before) && isJsonArray(after)) return mergeArray(merge, before, after, path);
  return withoutNulls(after);
}

function mergeObject(merge: Merge, before: JsonObject, after: JsonObject, path: Path): JsonObject {
  const merged: Record<string, JsonValue> = {};
  const isMap = isStringMap(before, path);
  for (const key of Object.keys(before)) {
    const old = before[key] as JsonValue;
    const returned = memberOf(after, key);
    if (returned !== undefined) setMember(merged, key, mergeValue(merge, old, returned, [...path, key]));
    else if (stays(merge, old, isMap, [...path, key])) setMember(merged, key, old);
  }
  for (const key of Object.keys(after)) {
    const added = memberOf(after, key);
    if (added !== undefined && !Object.hasOwn(before, key)) setMember(merged, key, withoutNulls(added));
  }
  return merged;
}

/** Elements are never lost by a guest's types: what is missing was removed. */
function mergeArray(
  merge: Merge,
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  path: Path,
): JsonValue {
  return alignArrays(before, after).map((old, index) => {
    const returned = after[index] as JsonValue;
    if (old === -1) return withoutNulls(returned);
    return mergeValue(merge, before[old] as JsonValue, returned, [...path, String(old)]);
  });
}

/** Whether a member that was not returned stays. */
function stays(merge: Merge, old: JsonValue, isMap: boolean, path: Path): boolean {
  // Encoders leave null out or write it as they like: it says nothing.
  if (old === null) return true;
  if (isMap || merge.removable.some((pattern) => matches(pattern, path))) return false;
  merge.kept.push(formatPointer(path));
  return true;
}

function isStringMap(object: JsonObject, path: Path): boolean {
  return STRING_MAPS.has(path.at(-1) ?? '') && Object.values(object).every(isStringOrNumber);
}

function isStringOrNumber(value: JsonValue | undefined): boolean {
  return typeof value === 'string' || typeof value === 'number' || isRawNumber(value);
}

/** Null reads as absent. */
function memberOf(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? (object[key] ?? undefined) : undefined;
}

function withoutNulls(value: JsonValue): JsonValue {
  if (isJsonArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  const kept: Record<string, JsonValue> = {};
  for (const key of Object.keys(value)) {
    const member = memberOf(value, key);
    if (member !== undefined) setMember(kept, key, withoutNulls(member));
  }
  return kept;
}

function matches(pattern: Path, path: Path): boolean {
  return (
    pattern.length === path.length && pattern.every((token, index) => token === '*' || token === path[index])
  );
}

function parsePattern(pattern: string): Path {
  const path = parsePointer(pattern);
  if (path === undefined) throw new TypeError(`\`${pattern}\` is not a JSON pointer`);
  return path;
}

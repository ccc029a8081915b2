import type { JsonObject, JsonValue } from '@portcullis/contract';
import { isRawNumber } from '../json/exact-json.ts';
import { isJsonArray, isJsonObject } from '../json/json-equal.ts';
import { createEffort, type Effort } from './align-alike.ts';
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

export interface Merged extends Kept {
  readonly value: JsonValue;
}

/** Fields that were not returned and stay. A large object can lose more of them than anyone wants to read. */
export interface Kept {
  /** JSON pointers, in the object as it was, of the first 20. */
  readonly kept: readonly string[];
  /** How many there are besides. */
  readonly keptUnnamed: number;
}

const MAX_NAMED = 20;

export function describeKept({ kept, keptUnnamed }: Kept): string {
  return `${kept.join(', ')}${keptUnnamed === 0 ? '' : `, and ${keptUnnamed} more`}`;
}

/**
 * The object that a guest meant by the one that it returned. A field that the guest's types do not know is missing from its
 * answer, and so is one that it removed: the first is put back, the second only where the two can be told apart.
 */
export function mergeReturned(before: JsonObject, after: JsonObject, removable: readonly string[]): Merged {
  const merge: Merge = {
    kept: [],
    keptUnnamed: 0,
    removable: removable.map(parsePattern),
    effort: createEffort(),
  };
  const value = mergeObject(merge, before, after, undefined);
  return { value, kept: merge.kept, keptUnnamed: merge.keptUnnamed };
}

interface Merge {
  readonly kept: string[];
  keptUnnamed: number;
  readonly removable: readonly (readonly string[])[];
  readonly effort: Effort;
}

/** From the end to the start, so that going one level down costs the same at every depth. */
type Path = { readonly key: string; readonly above: Path } | undefined;

function tokensOf(path: Path): readonly string[] {
  const tokens: string[] = [];
  for (let part = path; part !== undefined; part = part.above) tokens.push(part.key);
  return tokens.toReversed();
}

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
    if (returned !== undefined)
      setMember(merged, key, mergeValue(merge, old, returned, { key, above: path }));
    else if (stays(merge, old, isMap, { key, above: path })) setMember(merged, key, old);
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
  return alignArrays(before, after, merge.effort).map((old, index) => {
    const returned = after[index] as JsonValue;
    if (old === -1) return withoutNulls(returned);
    return mergeValue(merge, before[old] as JsonValue, returned, { key: String(old), above: path });
  });
}

/** Whether a member that was not returned stays. */
function stays(merge: Merge, old: JsonValue, isMap: boolean, path: Path): boolean {
  // Encoders leave null out or write it as they like: it says nothing.
  if (old === null) return true;
  if (isMap) return false;
  if (merge.removable.length > 0) {
    const tokens = tokensOf(path);
    if (merge.removable.some((pattern) => matches(pattern, tokens))) return false;
  }
  if (merge.kept.length < MAX_NAMED) merge.kept.push(formatPointer(tokensOf(path)));
  else merge.keptUnnamed += 1;
  return true;
}

function isStringMap(object: JsonObject, path: Path): boolean {
  return STRING_MAPS.has(path?.key ?? '') && Object.values(object).every(isStringOrNumber);
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

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  return (
    pattern.length === path.length && pattern.every((token, index) => token === '*' || token === path[index])
  );
}

function parsePattern(pattern: string): readonly string[] {
  const path = parsePointer(pattern);
  if (path === undefined) throw new TypeError(`\`${pattern}\` is not a JSON pointer`);
  return path;
}

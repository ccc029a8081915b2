import type { JsonObject, JsonValue } from '@portcullis/contract';
import { canonicalDecimal } from '../json/decimal.ts';
import { isRawNumber } from '../json/exact-json.ts';
import { isJsonArray, isJsonObject } from '../json/json-equal.ts';
import { alignAlike, type Effort } from './align-alike.ts';

/** For each element of the new array the index of the old one that it was, or -1 when it is new. */
export type Alignment = readonly number[];

/** What tells the elements of a Kubernetes list apart, best first. */
const IDENTITIES: readonly ((element: JsonObject) => string | undefined)[] = [
  (element) => scalarKey(element['name']),
  (element) => scalarKey(element['key']),
  (element) => scalarKey(element['mountPath']),
  (element) => {
    const port = scalarKey(element['containerPort']);
    return port === undefined ? undefined : `${port}/${scalarKey(element['protocol']) ?? '"TCP'}`;
  },
  (element) => scalarKey(element['ip']),
  (element) => scalarKey(element['uid']),
];

/**
 * Pairs the elements of two versions of an array: scalars by value; objects by the first identity that all of them have and that
 * is unique in both; else by index when there are equally many; else each by the first identity that it has itself, and those
 * without any by what they hold.
 */
export function alignArrays(
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  effort: Effort,
): Alignment {
  if (before.every(isScalar) && after.every(isScalar))
    return pair(before.map(scalarKey), after.map(scalarKey));
  for (const identity of IDENTITIES) {
    const old = uniqueKeys(before, identity);
    const fresh = old && uniqueKeys(after, identity);
    if (fresh !== undefined) return pair(old ?? [], fresh);
  }
  if (before.length === after.length) return after.map((_, index) => index);
  return pairNameless(before, after, effort);
}

function pairNameless(before: readonly JsonValue[], after: readonly JsonValue[], effort: Effort): Alignment {
  const [oldKeys, keys] = [before.map(ownKey), after.map(ownKey)];
  const isNameless = (index: number): boolean => oldKeys[index] === undefined;
  const old = [...before.keys()].filter(isNameless);
  const alike = alignAlike(
    old.map((index) => before[index] as JsonValue),
    after.filter((_, index) => keys[index] === undefined),
    effort,
  ).values();
  return pair(oldKeys, keys).map((named, index) =>
    keys[index] === undefined ? (old[alike.next().value ?? -1] ?? -1) : named,
  );
}

type Keys = readonly (string | undefined)[];

/** The n-th element with a key is paired with the n-th one that had it. */
function pair(before: Keys, after: Keys): Alignment {
  const places = new Map<string, number[]>();
  for (let index = before.length - 1; index >= 0; index--) {
    const key = before[index];
    if (key === undefined) continue;
    const same = places.get(key);
    if (same === undefined) places.set(key, [index]);
    else same.push(index);
  }
  return after.map((key) => (key === undefined ? -1 : (places.get(key)?.pop() ?? -1)));
}

function uniqueKeys(
  array: readonly JsonValue[],
  identity: (element: JsonObject) => string | undefined,
): Keys | undefined {
  const keys = new Set<string>();
  for (const element of array) {
    const key = isJsonObject(element) ? identity(element) : undefined;
    if (key === undefined || keys.has(key)) return undefined;
    keys.add(key);
  }
  return [...keys];
}

function ownKey(element: JsonValue): string | undefined {
  if (!isJsonObject(element)) return isScalar(element) ? scalarKey(element) : undefined;
  for (const [rank, identity] of IDENTITIES.entries()) {
    const key = identity(element);
    if (key !== undefined) return `${rank}:${key}`;
  }
  return undefined;
}

function isScalar(value: JsonValue): boolean {
  return !isJsonArray(value) && !isJsonObject(value);
}

/** Tells `1` from `"1"`, and not `1` from `1.0`. */
function scalarKey(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return `"${value}`;
  if (typeof value === 'number') return canonicalDecimal(String(value));
  if (isRawNumber(value)) return canonicalDecimal(value.rawJSON);
  return value === null || typeof value === 'boolean' ? String(value) : undefined;
}

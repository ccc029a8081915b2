import type { JsonValue } from '@portcullis/contract';
import { isJsonArray, isJsonObject, jsonEqual } from '../json/json-equal.ts';

/** What may still be looked at in the two documents of one comparison: bounds the work on arrays in which much is like much. */
export interface Effort {
  looks: number;
}

/** A few milliseconds. */
const MAX_LOOKS = 200_000;

export function createEffort(): Effort {
  return { looks: MAX_LOOKS };
}

/**
 * Pairs, in their order, the elements of two arrays that have no identity: one that holds nothing but what an old one held is that
 * one, less what a guest did not know. Of all such pairings the one that recognises most; for each new element the index of the old
 * one, or -1.
 */
export function alignAlike(
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  effort: Effort,
): readonly number[] {
  const cells = before.length * after.length;
  if (cells > effort.looks) return alignEnds(before, after, effort);
  effort.looks -= cells;
  const alike = before.map((old) => after.map((fresh) => likeness(fresh, old, effort) ?? 0));
  return trace(alike, bestOf(alike, after.length), after.length);
}

/** Of long lists what is alike at their beginnings and their ends is paired first, and between them what is short enough. */
function alignEnds(
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  effort: Effort,
): readonly number[] {
  const shorter = Math.min(before.length, after.length);
  const isAlike = (fresh: JsonValue | undefined, old: JsonValue | undefined): boolean =>
    fresh !== undefined && old !== undefined && likeness(fresh, old, effort) !== undefined;
  let head = 0;
  while (head < shorter && isAlike(after[head], before[head])) head++;
  let tail = 0;
  while (tail < shorter - head && isAlike(after.at(-1 - tail), before.at(-1 - tail))) tail++;
  const fresh = after.slice(head, after.length - tail);
  const old = before.slice(head, before.length - tail);
  const middle = head + tail > 0 ? alignAlike(old, fresh, effort) : fresh.map(() => -1);
  const shift = before.length - after.length;
  return after.map((_, index) => {
    if (index < head) return index;
    if (index >= after.length - tail) return index + shift;
    const paired = middle[index - head] ?? -1;
    return paired === -1 ? -1 : paired + head;
  });
}

type Table = readonly (readonly number[])[];

/** `best[i][j]`: the most that can be recognised from the i-th old and the j-th new element on. */
function bestOf(alike: Table, count: number): Table {
  let below: readonly number[] = Array.from({ length: count + 1 }, () => 0);
  const lines = [below];
  for (const row of alike.toReversed()) {
    const line: number[] = Array.from({ length: count + 1 }, () => 0);
    for (let j = count - 1; j >= 0; j--) {
      const like = row[j] as number;
      const paired = like === 0 ? 0 : like + (below[j + 1] as number);
      line[j] = Math.max(paired, below[j] as number, line[j + 1] as number);
    }
    lines.push(line);
    below = line;
  }
  return lines.toReversed();
}

function trace(alike: Table, best: Table, count: number): readonly number[] {
  const alignment: number[] = [];
  for (let i = 0; alignment.length < count;) {
    const j = alignment.length;
    const [line, below] = [best[i], best[i + 1]];
    const like = alike[i]?.[j] ?? 0;
    if (line === undefined || below === undefined) alignment.push(-1);
    else if (like > 0 && line[j] === like + (below[j + 1] as number)) alignment.push(i++);
    else if (line[j] === below[j]) i++;
    else alignment.push(-1);
  }
  return alignment;
}

/** How many values the part has, where the whole holds them all at the same places; undefined where it does not. */
function likeness(part: JsonValue, whole: JsonValue, effort: Effort): number | undefined {
  if ((effort.looks -= 1) < 0) return undefined;
  if (isJsonArray(part) && isJsonArray(whole)) {
    return part.length === whole.length ? sum(part.entries(), (at) => whole[at], effort) : undefined;
  }
  if (isJsonObject(part) && isJsonObject(whole)) {
    return sum(Object.entries(part), (key) => (Object.hasOwn(whole, key) ? whole[key] : undefined), effort);
  }
  return jsonEqual(part, whole) ? 1 : undefined;
}

function sum<K>(
  members: Iterable<readonly [K, JsonValue | undefined]>,
  counterpart: (key: K) => JsonValue | undefined,
  effort: Effort,
): number | undefined {
  let total = 1;
  for (const [key, member] of members) {
    // Null reads as absent.
    if (member === undefined || member === null) continue;
    const other = counterpart(key);
    const like = other === undefined ? undefined : likeness(member, other, effort);
    if (like === undefined) return undefined;
    total += like;
  }
  return total;
}

import type { Charge } from './charge.ts';
import { fail } from './operands.ts';

/** Characters that one place takes, as ranges of code points, and how often. */
interface Place {
  readonly ranges: readonly (readonly [number, number])[];
  readonly isOptional: boolean;
  readonly isRepeated: boolean;
}

const ANY: Place['ranges'] = [[0, 0x10ffff]];

/** Whether some text that is not empty matches both: globs of characters, `.`, `[a-z]`, each with `*` or `+` behind it. */
export function globsOverlap(first: string, second: string, charge: Charge): boolean {
  charge((first.length + second.length) * 4);
  const [one, other] = [parse(first), parse(second)];
  const width = other.length + 1;
  charge(one.length * other.length * 2 + rangesIn(one) * rangesIn(other));
  // Pairs of places that some text leads to.
  const seen = new Set([0]);
  const pending = [0];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [left, right] = [Math.floor(pair / width), pair % width];
    if (left === one.length && right === other.length) return true;
    for (const next of follow([one, left], [other, right])) {
      const key = next[0] * width + next[1];
      if (!seen.has(key)) pending.push(key);
      seen.add(key);
    }
  }
  return false;
}

function rangesIn(places: readonly Place[]): number {
  return places.reduce((sum, { ranges }) => sum + ranges.length, 0);
}

type At = readonly [places: readonly Place[], at: number];

function follow([one, left]: At, [other, right]: At): readonly (readonly [number, number])[] {
  const [a, b] = [one[left], other[right]];
  const following: (readonly [number, number])[] = [];
  if (a?.isOptional === true) following.push([left + 1, right]);
  if (b?.isOptional === true) following.push([left, right + 1]);
  if (a === undefined || b === undefined || !overlap(a.ranges, b.ranges)) return following;
  for (const nextLeft of a.isRepeated ? [left, left + 1] : [left + 1]) {
    for (const nextRight of b.isRepeated ? [right, right + 1] : [right + 1])
      following.push([nextLeft, nextRight]);
  }
  return following;
}

function overlap(first: Place['ranges'], second: Place['ranges']): boolean {
  return first.some(([low, high]) => second.some(([from, to]) => low <= to && from <= high));
}

function parse(glob: string): readonly Place[] {
  const characters = Array.from(glob);
  const places: Place[] = [];
  for (let at = 0; at < characters.length;) {
    const [ranges, next] = parseRanges(characters, at);
    const flag = characters[next];
    const isRepeated = flag === '*' || flag === '+';
    places.push({ ranges, isOptional: flag === '*', isRepeated });
    at = isRepeated ? next + 1 : next;
  }
  return places;
}

function parseRanges(characters: readonly string[], at: number): readonly [Place['ranges'], number] {
  const character = characters[at] ?? '';
  if (character === '.') return [ANY, at + 1];
  if (character === '*' || character === '+') return fail('a flag without a character before it');
  if (character === ']') return fail('a `]` without `[`');
  if (character === '\\') return [[only(characters[at + 1] ?? fail('a `\\` at the end'))], at + 2];
  return character === '[' ? parseSet(characters, at + 1) : [[only(character)], at + 1];
}

function parseSet(characters: readonly string[], from: number): readonly [Place['ranges'], number] {
  const end = characters.indexOf(']', from);
  if (end <= from) return fail('a set without an end or without members');
  const ranges: (readonly [number, number])[] = [];
  for (let at = from; at < end; at++) {
    const [low] = only(characters[at] as string);
    if (characters[at + 1] !== '-' || at + 2 >= end) {
      ranges.push([low, low]);
      continue;
    }
    const [high] = only(characters[at + 2] as string);
    if (high < low) fail('a range that ends before it begins');
    ranges.push([low, high]);
    at += 2;
  }
  return [ranges, end + 1];
}

function only(character: string): readonly [number, number] {
  const point = character.codePointAt(0) ?? 0;
  return [point, point];
}

import { canonicalDecimal } from '../../kernel/json/decimal.ts';
import {
  integerOf,
  isArray,
  isRegoNumber,
  numberText,
  RegoSet,
  typeOf,
  type RegoArray,
  type RegoNumber,
  type RegoObject,
  type RegoType,
  type RegoValue,
} from './rego-value.ts';

const RANK: Readonly<Record<RegoType, number>> = {
  null: 0,
  boolean: 1,
  number: 2,
  string: 3,
  array: 4,
  object: 5,
  set: 6,
};

/** The total order of Rego: by type, then by content; below 0 when the first comes first. */
export function compareValues(first: RegoValue, second: RegoValue): number {
  if (first === second) return 0;
  const type = typeOf(first);
  const difference = RANK[type] - RANK[typeOf(second)];
  if (difference !== 0) return difference;
  switch (type) {
    case 'null':
      return 0;
    case 'boolean':
      return first === true ? 1 : -1;
    case 'number':
      return compareNumbers(first as RegoNumber, second as RegoNumber);
    case 'string':
      return compareTexts(first as string, second as string);
    case 'array':
      return compareLists(first as RegoArray, second as RegoArray);
    case 'set':
      return compareLists((first as RegoSet).members, (second as RegoSet).members);
    case 'object':
      return compareObjects(first as RegoObject, second as RegoObject);
    default:
      return type satisfies never;
  }
}

export function isEqual(first: RegoValue, second: RegoValue): boolean {
  if (typeof first === 'string' || typeof second === 'string') return first === second;
  return sizeOf(first) === sizeOf(second) && compareValues(first, second) === 0;
}

/** How many members; of a single value 1. */
function sizeOf(value: RegoValue): number {
  if (value === null || typeof value !== 'object' || isRegoNumber(value)) return 1;
  if (isArray(value)) return value.length;
  return value instanceof RegoSet ? value.members.length : value.size;
}

export function sorted(values: RegoArray): RegoArray {
  return [...values].sort(compareValues);
}

type Entries = readonly (readonly [RegoValue, RegoValue])[];
const entriesOf = new WeakMap<RegoObject, Entries>();

/**
 * Members of an object in the order of its keys. Kept for objects with members, which nobody changes once they are made: sorted anew
 * at each comparison, objects that are keys of objects would take the square of the time.
 */
export function sortedEntries(object: RegoObject): Entries {
  const known = entriesOf.get(object);
  if (known?.length === object.size) return known;
  const entries = [...object].sort(([first], [second]) => compareValues(first, second));
  entriesOf.set(object, entries);
  return entries;
}

export function createSet(values: Iterable<RegoValue>): RegoSet {
  const members: RegoValue[] = [];
  for (const value of [...values].sort(compareValues)) {
    const last = members.at(-1);
    if (last === undefined || !isEqual(last, value)) members.push(value);
  }
  return new RegoSet(members);
}

/** The member with this key, whatever type that has. */
export function getMember(object: RegoObject, key: RegoValue): RegoValue | undefined {
  const found = object.get(key);
  if (found !== undefined || typeof key === 'string') return found;
  for (const [other, value] of object) if (isEqual(other, key)) return value;
  return undefined;
}

/** By code points, which is the order of the UTF-8 bytes; JavaScript's own is that of UTF-16 units. */
export function compareTexts(first: string, second: string): number {
  const length = Math.min(first.length, second.length);
  for (let at = 0; at < length; at++) {
    const [one, other] = [first.charCodeAt(at), second.charCodeAt(at)];
    if (one === other) continue;
    const [isHigh, isOtherHigh] = [isSurrogate(one), isSurrogate(other)];
    return isHigh === isOtherHigh ? one - other : Number(isHigh) - Number(isOtherHigh);
  }
  return first.length - second.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

function compareNumbers(first: RegoNumber, second: RegoNumber): number {
  if (typeof first === 'number' && typeof second === 'number') return first - second;
  const [one, other] = [integerOf(first), integerOf(second)];
  if (one !== undefined && other !== undefined) return one < other ? -1 : Number(one > other);
  const [text, otherText] = [numberText(first), numberText(second)];
  const difference = Number(text) - Number(otherText);
  if (difference !== 0 && !Number.isNaN(difference)) return difference;
  // Of what doubles do not tell apart only whether it is the same is of use.
  return compareTexts(canonicalDecimal(text), canonicalDecimal(otherText));
}

function compareLists(first: RegoArray, second: RegoArray): number {
  for (const [index, value] of first.entries()) {
    if (index >= second.length) return 1;
    const difference = compareValues(value, second[index] as RegoValue);
    if (difference !== 0) return difference;
  }
  return first.length - second.length;
}

function compareObjects(first: RegoObject, second: RegoObject): number {
  const others = sortedEntries(second);
  for (const [index, [key, value]] of sortedEntries(first).entries()) {
    const other = others[index];
    if (other === undefined) return 1;
    const difference = compareValues(key, other[0]) || compareValues(value, other[1]);
    if (difference !== 0) return difference;
  }
  return first.size - second.size;
}

/** Whether a value is of a type with members. */
export function isComposite(value: RegoValue): boolean {
  return typeof value === 'object' && value !== null && (isArray(value) || !isRegoNumber(value));
}

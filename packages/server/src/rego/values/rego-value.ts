import type { RawNumber } from '@portcullis/contract';
import { isRawNumber } from '../../kernel/json/exact-json.ts';

/** A number that JavaScript would write otherwise keeps its text: long ones, and `1.0` too. */
export type RegoNumber = number | RawNumber;
/** An object: keys are any values. Members with a composite key are found by comparing, see `compare-values.ts`. */
export type RegoObject = ReadonlyMap<RegoValue, RegoValue>;
export type RegoArray = readonly RegoValue[];
export type RegoValue = null | boolean | RegoNumber | string | RegoArray | RegoObject | RegoSet;

/** Members in their order, without duplicates: made by `createSet` alone. */
export class RegoSet {
  readonly members: RegoArray;

  constructor(members: RegoArray) {
    this.members = members;
  }
}

export type RegoType = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object' | 'set';

export function typeOf(value: RegoValue): RegoType {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string') return 'string';
  if (isRegoNumber(value)) return 'number';
  if (isArray(value)) return 'array';
  return value instanceof RegoSet ? 'set' : 'object';
}

export function isRegoNumber(value: RegoValue): value is RegoNumber {
  return typeof value === 'number' || isRawNumber(value);
}

export function isArray(value: RegoValue): value is RegoArray {
  return Array.isArray(value);
}

export function isObject(value: RegoValue): value is RegoObject {
  return value instanceof Map;
}

/** The digits of a number. */
export function numberText(value: RegoNumber): string {
  return typeof value === 'number' ? String(value) : value.rawJSON;
}

/** The integer that a number is, of any size; undefined when it is none or has an exponent beyond all reason. */
export function integerOf(value: RegoNumber): bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  return /^-?\d{1,400}$/.test(value.rawJSON) ? BigInt(value.rawJSON) : undefined;
}

import { isObject, isRegoNumber, RegoSet, type RegoArray, type RegoValue } from '../values/rego-value.ts';

/** Asked before a piece of work; throws when there has been too much. */
export type Charge = (units: number) => void;

/** For text that is gone through or made: 64 characters are a unit. */
export function charged(charge: Charge, characters: number): void {
  charge(1 + (characters >> 6));
}

/**
 * For a value that is gone through or written once more: a unit for each value in it, and for each 64 characters. Told while it is
 * counted, so that a value which holds another one many times does not take longer to count than it may.
 */
export function chargeValue(charge: Charge, value: RegoValue): void {
  if (typeof value === 'string') return charged(charge, value.length);
  charge(1);
  if (value === null || typeof value !== 'object' || isRegoNumber(value)) return;
  for (const item of isObject(value) ? [...value].flat() : membersOf(value)) chargeValue(charge, item);
}

function membersOf(value: RegoArray | RegoSet): RegoArray {
  return value instanceof RegoSet ? value.members : value;
}

import {
  integerOf,
  isArray,
  isObject,
  isRegoNumber,
  numberText,
  RegoSet,
  typeOf,
  type RegoArray,
  type RegoNumber,
  type RegoObject,
  type RegoType,
  type RegoValue,
} from '../values/rego-value.ts';
import { BuiltinFailure } from './builtin.ts';

type Arguments = readonly RegoValue[];

/** Operands by their place, from 0; each fails when the argument is of another type. */
export function text(args: Arguments, place: number): string {
  const value = args[place];
  return typeof value === 'string' ? value : wrong(args, place, 'string');
}

export function number(args: Arguments, place: number): RegoNumber {
  const value = args[place];
  return value !== undefined && isRegoNumber(value) ? value : wrong(args, place, 'number');
}

export function double(args: Arguments, place: number): number {
  return Number(numberText(number(args, place)));
}

export function integer(args: Arguments, place: number): bigint {
  return (
    integerOf(number(args, place)) ??
    fail(`operand ${place + 1} must be integer number but got floating-point number`)
  );
}

/** An integer that a loop or an index may use. */
export function count(args: Arguments, place: number): number {
  const value = Number(integer(args, place));
  return Number.isSafeInteger(value) ? value : fail(`operand ${place + 1} is too large`);
}

export function flag(args: Arguments, place: number): boolean {
  const value = args[place];
  return typeof value === 'boolean' ? value : wrong(args, place, 'boolean');
}

export function object(args: Arguments, place: number): RegoObject {
  const value = args[place];
  return value !== undefined && isObject(value) ? value : wrong(args, place, 'object');
}

export function array(args: Arguments, place: number): RegoArray {
  const value = args[place];
  return value !== undefined && isArray(value) ? value : wrong(args, place, 'array');
}

/** Items of an array or a set. */
export function items(args: Arguments, place: number): RegoArray {
  const value = args[place];
  if (value instanceof RegoSet) return value.members;
  return value !== undefined && isArray(value) ? value : wrong(args, place, 'array', 'set');
}

/** A string, or all of an array or set of them. */
export function texts(args: Arguments, place: number): readonly string[] {
  const value = args[place];
  if (typeof value === 'string') return [value];
  return items(args, place).map((item) =>
    typeof item === 'string'
      ? item
      : fail(`operand ${place + 1} must be array of strings but got ${typeOf(item)}`),
  );
}

export function fail(message: string): never {
  throw new BuiltinFailure(message);
}

function wrong(args: Arguments, place: number, ...wanted: readonly RegoType[]): never {
  const value = args[place];
  const found = value === undefined ? 'nothing' : typeOf(value);
  const expected = wanted.length === 1 ? wanted[0] : `one of {${wanted.join(', ')}}`;
  return fail(`operand ${place + 1} must be ${expected} but got ${found}`);
}

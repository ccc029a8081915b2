import { isRawNumber, verbatimNumber } from '../../../kernel/json/exact-json.ts';
import { jsonKey } from '../../values/json-values.ts';
import { parseValue } from '../../values/parse-value.ts';
import { sortedEntries } from '../../values/compare-values.ts';
import {
  isArray,
  isObject,
  isRegoNumber,
  RegoSet,
  type RegoNumber,
  type RegoValue,
} from '../../values/rego-value.ts';
import { chargeValue, type Charge } from '../charge.ts';
import { goJsonText, isJson } from '../json-text.ts';
import { fail } from '../operands.ts';

/** An operand as JSON: a text of it, or an object or array whose sets become arrays and whose keys become texts. */
export function documentOf(operand: RegoValue | undefined, charge: Charge): RegoValue {
  if (typeof operand === 'string') {
    if (!isJson(operand, charge)) return fail('invalid JSON string');
    // A number has to be as it is written: `1.0` is no length.
    const value = parseValue(operand);
    return value === undefined ? fail('JSON that is nested too deeply') : inOrder(value);
  }
  if (operand === undefined || !(isObject(operand) || isArray(operand)))
    return fail('wrong type, expected string or object');
  chargeValue(charge, operand);
  return inOrder(operand);
}

function inOrder(value: RegoValue): RegoValue {
  if (isArray(value)) return value.map(inOrder);
  if (value instanceof RegoSet) return value.members.map(inOrder);
  if (!isObject(value)) return value;
  return new Map(sortedEntries(value).map(([key, item]) => [jsonKey(key), inOrder(item)]));
}

/** Text that is the same for values that are: numbers are compared as doubles here. */
export function comparableText(value: RegoValue, charge: Charge): string {
  return goJsonText(asDoubles(value), charge);
}

function asDoubles(value: RegoValue): RegoValue {
  if (value === null || typeof value !== 'object') return value;
  if (isRegoNumber(value)) return isRawNumber(value) ? doubleOf(value.rawJSON) : value;
  if (isArray(value)) return value.map(asDoubles);
  return isObject(value) ? new Map([...value].map(([key, item]) => [key, asDoubles(item)])) : value;
}

function doubleOf(text: string): RegoNumber {
  const double = Number(text);
  if (Object.is(double, -0)) return verbatimNumber('-0');
  return Number.isFinite(double) ? double : fail(`a number that is too large: ${text.slice(0, 40)}`);
}

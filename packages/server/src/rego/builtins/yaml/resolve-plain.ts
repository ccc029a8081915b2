import { verbatimNumber } from '../../../kernel/json/exact-json.ts';
import type { RegoValue } from '../../values/rego-value.ts';
import { fail } from '../operands.ts';

const WORDS: ReadonlyMap<string, RegoValue> = new Map<string, RegoValue>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
]);
const NOT_FINITE = /^(?:[+-]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const INTEGER = /^([+-]?)(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9]\d*))$/;
const FLOAT = /^[+-]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][+-]?\d+)?$/;
const SMALLEST = -(2n ** 63n);
const LARGEST = 2n ** 64n;
/** Digits of an integer that may be one of 64 bits. */
const MAX_DIGITS = 70;

/** What a scalar without quotes stands for in Go's yaml.v3: YAML 1.2 with the octals and underscores of 1.1. */
export function resolvePlain(text: string): RegoValue {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (NOT_FINITE.test(text)) return fail('a number that JSON has not');
  if (!/^[-+.\d]/.test(text)) return text;
  const digits = text.startsWith('.') ? text : text.replaceAll('_', '');
  const integer = digits.length <= MAX_DIGITS ? integerOf(digits) : undefined;
  if (integer !== undefined) return verbatimNumber(String(integer));
  const float = FLOAT.test(digits) ? Number(digits) : NaN;
  return Number.isFinite(float) ? float : text;
}

function integerOf(digits: string): bigint | undefined {
  const [, sign, hex, binary, octal, decimal] = INTEGER.exec(digits) ?? [];
  if (sign === undefined) return undefined;
  const prefixed =
    decimal ?? (hex === undefined ? (binary === undefined ? `0o${octal}` : `0b${binary}`) : `0x${hex}`);
  const size = BigInt(prefixed);
  const value = sign === '-' ? -size : size;
  return value >= SMALLEST && value < LARGEST ? value : undefined;
}

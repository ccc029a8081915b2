import { canonicalDecimal } from '../../../kernel/json/decimal.ts';
import { numberText, type RegoNumber } from '../../values/rego-value.ts';
import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';

/** A number without any loss: `coefficient * 10^exponent`, the coefficient not divisible by ten. */
export interface ExactNumber {
  readonly coefficient: bigint;
  readonly exponent: number;
  /** Digits of the coefficient. */
  readonly digits: number;
}

const MAX_EXPONENT = 100_000;

export function exactNumberOf(value: RegoNumber, charge: Charge): ExactNumber {
  const text = numberText(value);
  charge(1 + (text.length >> 3));
  const [, digits = '0', exponentText = '0'] =
    /^(-?\d+)(?:e(-?\d+))?$/.exec(canonicalDecimal(text)) ?? fail('a number beyond all reason');
  const exponent = Number(exponentText);
  if (Math.abs(exponent) > MAX_EXPONENT) fail('a number beyond all reason');
  return { coefficient: BigInt(digits), exponent, digits: digits.replace('-', '').length };
}

export function isWhole({ exponent }: ExactNumber): boolean {
  return exponent >= 0;
}

/** Below 0 when the first is less. */
export function compareExact(first: ExactNumber, second: ExactNumber, charge: Charge): number {
  const sign = signOf(first);
  if (sign !== signOf(second)) return sign - signOf(second);
  if (sign === 0) return 0;
  // Where they begin at different places nothing has to be written out.
  const difference = magnitude(first) - magnitude(second);
  if (difference !== 0) return sign * difference;
  const [one, other] = aligned(first, second, charge);
  return one < other ? -1 : Number(one > other);
}

export function isMultiple(value: ExactNumber, step: ExactNumber, charge: Charge): boolean {
  if (signOf(value) === 0) return true;
  const shift = Math.abs(value.exponent - step.exponent);
  // Dividing is quadratic in the digits.
  charge(((value.digits + shift) * (step.digits + shift)) / 32_768);
  const [one, other] = aligned(value, step, charge);
  return one % other === 0n;
}

/** As Go writes a long float: with an exponent from the seventh digit on. */
export function displayExact({ coefficient, exponent }: ExactNumber): string {
  const [sign, digits] = coefficient < 0n ? ['-', String(-coefficient)] : ['', String(coefficient)];
  const first = digits.length + exponent - 1;
  if (first < -4 || first >= 6) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits.slice(0, 1)}${fraction}e${first < 0 ? '-' : '+'}${String(Math.abs(first)).padStart(2, '0')}`;
  }
  if (exponent >= 0) return `${sign}${digits}${'0'.repeat(exponent)}`;
  const padded = digits.padStart(1 - exponent, '0');
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

function signOf({ coefficient }: ExactNumber): number {
  return coefficient < 0n ? -1 : Number(coefficient > 0n);
}

function magnitude({ digits, exponent }: ExactNumber): number {
  return digits + exponent;
}

function aligned(first: ExactNumber, second: ExactNumber, charge: Charge): readonly [bigint, bigint] {
  const least = Math.min(first.exponent, second.exponent);
  charge(1 + (Math.max(first.exponent, second.exponent) - least) / 4);
  return [
    first.coefficient * 10n ** BigInt(first.exponent - least),
    second.coefficient * 10n ** BigInt(second.exponent - least),
  ];
}

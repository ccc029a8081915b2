import { findMatches } from '../../../kernel/regex/run-regex.ts';
import type { RegoNumber, RegoValue } from '../../values/rego-value.ts';
import { charged } from '../charge.ts';
import { compareExact, displayExact, exactNumberOf, isMultiple, type ExactNumber } from './exact-number.ts';
import { isOfFormat } from './formats.ts';
import { comparableText } from './schema-document.ts';
import type { SubSchema } from './sub-schema.ts';
import type { Finding, Validation } from './validation.ts';

/** What holds for a value of any type. */
export function applyToValue(
  { constant, choices, format }: SubSchema,
  value: RegoValue,
  { place, result }: Finding,
  { charge }: Validation,
): void {
  if (constant !== undefined && comparableText(value, charge) !== constant)
    result.add('const', place, (field) => `${field} does not match: ${constant}`);
  if (choices !== undefined && !choices.has(comparableText(value, charge))) {
    const allowed = [...choices].join(', ');
    charged(charge, allowed.length);
    result.add('enum', place, (field) => `${field} must be one of the following: ${allowed}`);
  }
  if (format !== undefined && typeof value === 'string' && !isOfFormat(format, value, charge))
    result.add('format', place, `Does not match format '${format}'`);
  result.score++;
}

export function applyToNumber(
  { numbers }: SubSchema,
  value: RegoNumber,
  { place, result }: Finding,
  { charge }: Validation,
): void {
  result.score++;
  const { multipleOf, maximum, exclusiveMaximum, minimum, exclusiveMinimum } = numbers;
  const limits = [multipleOf, maximum, exclusiveMaximum, minimum, exclusiveMinimum];
  if (limits.every((limit) => limit === undefined)) return;
  const number = exactNumberOf(value, charge);
  if (multipleOf !== undefined && !isMultiple(number, multipleOf, charge))
    result.add('multiple_of', place, `Must be a multiple of ${displayExact(multipleOf)}`);
  const unless = (
    limit: ExactNumber | undefined,
    isKept: (difference: number) => boolean,
    [type, text]: readonly [string, string],
  ): void => {
    if (limit === undefined || isKept(compareExact(number, limit, charge))) return;
    result.add(type, place, `Must be ${text} ${displayExact(limit)}`);
  };
  unless(maximum, (difference) => difference <= 0, ['number_lte', 'less than or equal to']);
  unless(exclusiveMaximum, (difference) => difference < 0, ['number_lt', 'less than']);
  unless(minimum, (difference) => difference >= 0, ['number_gte', 'greater than or equal to']);
  unless(exclusiveMinimum, (difference) => difference > 0, ['number_gt', 'greater than']);
}

export function applyToString(
  { sizes: { minLength, maxLength }, pattern }: SubSchema,
  value: string,
  { place, result }: Finding,
  { charge }: Validation,
): void {
  if (minLength !== undefined || maxLength !== undefined) {
    charged(charge, value.length * 4);
    const length = codePoints(value);
    if (minLength !== undefined && length < minLength)
      result.add('string_gte', place, `String length must be greater than or equal to ${minLength}`);
    if (maxLength !== undefined && length > maxLength)
      result.add('string_lte', place, `String length must be less than or equal to ${maxLength}`);
  }
  if (
    pattern !== undefined &&
    findMatches(pattern.program, value, { limit: 1, charge, isTest: true }).length === 0
  )
    result.add('pattern', place, `Does not match pattern '${pattern.source}'`);
  result.score++;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

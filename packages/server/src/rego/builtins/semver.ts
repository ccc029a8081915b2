import { compareTexts } from '../values/compare-values.ts';
import type { Builtin } from './builtin.ts';
import { fail, text } from './operands.ts';

interface Version {
  readonly numbers: readonly bigint[];
  readonly preRelease: readonly string[];
}

const PART = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const NUMBER = '(0|[1-9]\\d*)';
const VERSION = new RegExp(`^v?${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${PART}))?(?:\\+${PART})?$`);
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_LENGTH = 4096;

export const SEMVER: Readonly<Record<string, Builtin>> = {
  'semver.is_valid': ([value]) => typeof value === 'string' && parse(value) !== undefined,

  'semver.compare': (args) => {
    const [first, second] = [0, 1].map(
      (place) => parse(text(args, place)) ?? fail(`operand ${place + 1}: not a valid SemVer`),
    );
    return first === undefined || second === undefined ? undefined : compare(first, second);
  },
};

function parse(value: string): Version | undefined {
  const match = value.length > MAX_LENGTH ? null : VERSION.exec(value);
  if (match === null) return undefined;
  const numbers = match.slice(1, 4).map(BigInt);
  const preRelease = match[4]?.split('.') ?? [];
  const isSane =
    numbers.every((number) => number <= MAX_INT64) && !preRelease.some((part) => /^0\d+$/.test(part));
  return isSane ? { numbers, preRelease } : undefined;
}

function compare(first: Version, second: Version): number {
  for (const [index, number] of first.numbers.entries()) {
    const other = second.numbers[index] ?? 0n;
    if (number !== other) return number < other ? -1 : 1;
  }
  const [one, other] = [first.preRelease, second.preRelease];
  // Without a pre-release it is the release itself.
  if (one.length === 0 || other.length === 0) return Math.sign(other.length - one.length);
  for (const [index, part] of one.entries()) {
    const match = other[index];
    const difference = match === undefined ? 1 : compareParts(part, match);
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(one.length - other.length);
}

/** Numbers come before words. */
function compareParts(first: string, second: string): number {
  const [isNumber, isOtherNumber] = [/^\d+$/.test(first), /^\d+$/.test(second)];
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  if (!isNumber) return compareTexts(first, second);
  return first.length - second.length || compareTexts(first, second);
}

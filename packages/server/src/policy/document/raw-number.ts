import type { RawNumber } from '@portcullis/contract';

/** Standard, but not in the type library yet. */
interface RawJson {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
}

const { rawJSON, isRawJSON } = JSON as unknown as RawJson;

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** So many significant digits survive the way through a double whatever they are. */
const SAFE_DIGITS = 15;

export function isRawNumber(value: unknown): value is RawNumber {
  return isRawJSON(value);
}

/** The number that a text of the JSON grammar stands for, exact; undefined when the text is not of that grammar. */
export function exactNumber(source: string): number | RawNumber | undefined {
  if (!JSON_NUMBER.test(source)) return undefined;
  const value = Number(source);
  return isExact(source, value) ? value + 0 : rawJSON(source);
}

/** A whole number of any size. */
export function exactInteger(value: bigint): number | RawNumber {
  const near = Number(value);
  return Number.isSafeInteger(near) ? near : rawJSON(String(value));
}

function isExact(source: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  const [mantissa = ''] = source.split(/[eE]/);
  const digits = mantissa.replace(/[-.]/g, '').replace(/^0+/, '');
  // Underflow: digits that are there and a value that is not.
  if (value === 0) return /^0*$/.test(digits);
  if (digits.length <= SAFE_DIGITS) return true;
  return /^-?\d+$/.test(source) ? Number.isSafeInteger(value) : String(value) === source;
}

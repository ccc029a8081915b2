import type { JsonValue, RawNumber } from '@portcullis/contract';
import { isExactDouble } from './decimal.ts';

/** The parts of ECMAScript's JSON that TypeScript does not declare yet. */
const EXACT = JSON as unknown as {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
  parse(
    text: string,
    reviver: (key: string, value: JsonValue, context: { source?: string }) => JsonValue,
  ): JsonValue;
};

/** A number that may be one of more digits than a double holds, and then keeps its text. */
export function exactNumber(text: string): number | RawNumber {
  const value = Number(text);
  return isExactDouble(text, value) ? value : EXACT.rawJSON(text);
}

/** A number that is written again as it was read: `1.0` stays `1.0`. */
export function verbatimNumber(text: string): number | RawNumber {
  const value = Number(text);
  return String(value) === text ? value : EXACT.rawJSON(text);
}

export function isRawNumber(value: unknown): value is RawNumber {
  return EXACT.isRawJSON(value);
}

/** Throws SyntaxError on malformed text. A key `__proto__` is a key like any other. */
export function parseExact(text: string): JsonValue {
  return EXACT.parse(text, (_key, value, context) =>
    typeof value === 'number' && context.source !== undefined ? exactNumber(context.source) : value,
  );
}

import type { JsonDocument, JsonValue } from '@portcullis/contract';
import { parseExact } from './exact-json.ts';

/**
 * A document of bytes that are known to be one well-formed JSON value. `hasLongNumber` is what a scan found out; without it
 * the text is looked through when the value is first wanted.
 */
export function createJsonDocument(bytes: Uint8Array, hasLongNumber?: boolean): JsonDocument {
  let value: JsonValue | undefined;
  return {
    bytes,
    value() {
      value ??= parseText(textOf(bytes), hasLongNumber);
      return value;
    },
  };
}

/** A document of a value; its bytes are written when they are first wanted. */
export function jsonDocumentOf(value: JsonValue): JsonDocument {
  let bytes: Uint8Array | undefined;
  return {
    get bytes() {
      bytes ??= Buffer.from(stringifyExact(value));
      return bytes;
    },
    value: () => value,
  };
}

/** JSON text in which every number has the digits that it was read with. */
export function stringifyExact(value: JsonValue): string {
  return JSON.stringify(value);
}

/** Parsing with the source of each number takes several times as long, so it is done where some number needs it. */
function parseText(text: string, hasLongNumber = LONG_NUMBER.test(text)): JsonValue {
  return hasLongNumber ? parseExact(text) : (JSON.parse(text) as JsonValue);
}

/** May match inside a string, which costs time only; never misses a number of 16 characters or with an exponent. */
const LONG_NUMBER = /(?<![^\s:,[])-?(?:\d[\d.]{14}|\d[\d.]*[eE])/;

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

import { isUtf8 } from 'node:buffer';
import { Fault } from '../fault.ts';
import type { JsonShape } from './json-shape.ts';
import { ScannerInstance } from './scanner-instance.ts';

/** Levels of objects and arrays: far above any real object, far below what recursion over the parsed value can bear. */
export const MAX_JSON_DEPTH = 512;

export interface JsonScan {
  /** Set when the bytes are not one strict JSON value; the ranges then tell what was found until there. */
  readonly fault: Fault | undefined;
  /** Start and end offset of each wanted member, by the slots of the shape; -1 where it is absent. */
  readonly ranges: readonly number[];
  /** Some number has more than 15 characters or an exponent, so a double may not hold it. */
  readonly hasLongNumber: boolean;
}

export interface JsonScanner {
  /**
   * One pass over the bytes. Stricter than RFC 8259 asks: valid UTF-8, no lone surrogates, no key twice in one object,
   * at most {@link MAX_JSON_DEPTH} levels. Linear in the length of the bytes, whatever they hold.
   */
  scan(bytes: Uint8Array): JsonScan;
}

/** A larger document gets a memory that is dropped after it: WebAssembly's grows and never shrinks. */
const KEPT_BYTES = 8 * 1024 * 1024;

/** A scanner keeps its working memory (as large as the largest document, 8 MiB at most) between scans: make one, use it often. */
export function createJsonScanner(shape: JsonShape): JsonScanner {
  let kept: ScannerInstance | undefined;
  return {
    scan(bytes) {
      if (!isUtf8(bytes)) return notUtf8(shape);
      const instance =
        bytes.length > KEPT_BYTES ? new ScannerInstance(shape) : (kept ??= new ScannerInstance(shape));
      const at = instance.scan(bytes);
      const fault = at === -1 ? undefined : describe(instance.code, bytes, at);
      return { fault, ranges: instance.ranges(), hasLongNumber: instance.hasLongNumber };
    },
  };
}

function notUtf8(shape: JsonShape): JsonScan {
  const fault = new Fault('PC_REVIEW_ENCODING', 'the bytes are not valid UTF-8');
  return { fault, ranges: Array.from({ length: shape.size }, () => -1), hasLongNumber: false };
}

function describe(code: ScannerInstance['code'], bytes: Uint8Array, at: number): Fault {
  const offset = { data: { offset: at } };
  if (code === 'PC_REVIEW_DEPTH') {
    return new Fault(code, `more than ${MAX_JSON_DEPTH} levels of nesting at byte ${at}`, offset);
  }
  if (code === 'PC_REVIEW_DUPLICATE_KEY') {
    return new Fault(code, `key ${quoteKey(bytes, at)} stands twice in one object at byte ${at}`, offset);
  }
  if (at >= bytes.length) return new Fault(code, `unexpected end at byte ${at}`, offset);
  if (LONE_SURROGATE.test(Buffer.from(bytes.subarray(at, at + 6)).toString('latin1'))) {
    return new Fault('PC_REVIEW_ENCODING', `lone surrogate at byte ${at}`, offset);
  }
  return new Fault(code, `unexpected byte at offset ${at}`, offset);
}

/** No surrogate that has its partner stops a scan. */
const LONE_SURROGATE = /^\\u[dD][89a-fA-F][\da-fA-F]{2}/;
const SHOWN_KEY = 64;

/** The well-formed string at this offset. */
function quoteKey(bytes: Uint8Array, at: number): string {
  let end = at + 1;
  while (bytes[end] !== QUOTE) end += bytes[end] === BACKSLASH ? 2 : 1;
  const key = JSON.parse(Buffer.from(bytes.subarray(at, end + 1)).toString()) as string;
  return `\`${key.length > SHOWN_KEY ? `${key.slice(0, SHOWN_KEY).toWellFormed()}…` : key}\``;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

import { isUtf8 } from 'node:buffer';
import { Fault } from '../../../src/kernel/fault.ts';
import type { FaultCode } from '../../../src/kernel/faults/catalogue.ts';
import type { JsonShape, ShapeNode } from '../../../src/kernel/json/json-shape.ts';
import {
  BACKSLASH,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  isBlank,
  isCanonical,
  isLoneSurrogate,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  skipLiteral,
  skipNumber,
  skipString,
} from './json-tokens.ts';
import { type JsonScan, type JsonScanner, MAX_JSON_DEPTH } from '../../../src/kernel/json/scan-json.ts';
import { ObjectKeys } from './object-keys.ts';

/**
 * What the scanner in WebAssembly has to agree with, fault by fault: the same rules byte by byte, written for reading.
 */
export function createReferenceScanner(shape: JsonShape): JsonScanner {
  return new Scanner(shape, MAX_JSON_DEPTH);
}

const EMPTY = Buffer.alloc(0);

class Scanner implements JsonScanner {
  readonly #shape: JsonShape;
  readonly #maxDepth: number;
  readonly #keys: ObjectKeys;
  /** By depth: the byte that closes the container, where its range belongs (-1: nowhere), what is wanted inside it. */
  readonly #closers: Uint8Array;
  readonly #slots: Int32Array;
  readonly #nodes: (ShapeNode | undefined)[];
  #bytes: Buffer = EMPTY;
  #ranges = new Int32Array(0);
  #hasLongNumber = false;
  /** Why the scan stopped, when it was not the grammar. */
  #code: FaultCode = 'PC_REVIEW_JSON';

  constructor(shape: JsonShape, maxDepth: number) {
    this.#shape = shape;
    this.#maxDepth = maxDepth;
    this.#keys = new ObjectKeys(maxDepth);
    this.#closers = new Uint8Array(maxDepth + 1);
    this.#slots = new Int32Array(maxDepth + 1);
    this.#nodes = Array.from({ length: maxDepth + 1 }, () => undefined);
  }

  scan(bytes: Uint8Array): JsonScan {
    this.#bytes = asBuffer(bytes);
    this.#ranges = new Int32Array(this.#shape.size).fill(-1);
    this.#hasLongNumber = false;
    this.#code = 'PC_REVIEW_JSON';
    this.#keys.begin(this.#bytes);
    const stop = this.#document();
    const fault = stop < 0 ? this.#describe(~stop) : undefined;
    const scan = { fault, ranges: [...this.#ranges], hasLongNumber: this.#hasLongNumber };
    this.#keys.end();
    this.#bytes = EMPTY;
    return scan;
  }

  /**
   * The whole grammar but for escapes, numbers and literals. One long method on purpose: with its state in local variables it
   * takes a third of the time of the same steps as methods. Answers the end, or `~offset` of what is wrong.
   */
  // eslint-disable-next-line complexity
  #document(): number {
    const bytes = this.#bytes;
    const closers = this.#closers;
    const end = bytes.length;
    if (!isUtf8(bytes)) return this.#stop('PC_REVIEW_ENCODING', 0);
    let wanted: ShapeNode | undefined = this.#shape.root;
    let depth = 0;
    let at = 0;
    let isKey = false;
    for (;;) {
      let byte = 0;
      while (at < end && (byte = bytes[at] as number) <= 0x20 && isBlank(byte)) at++;
      if (at === end) return ~at;
      const start = at;
      if (byte === QUOTE) {
        at++;
        while (at < end && (byte = bytes[at] as number) !== QUOTE && byte !== BACKSLASH && byte >= 0x20) at++;
        const plain = at;
        at = at < end && byte === QUOTE ? at + 1 : skipString(bytes, at);
        if (at < 0) return at;
        if (isKey) {
          const isOdd = at !== plain + 1 && !isCanonical(bytes, plain, at - 1);
          const isNew = isOdd ? this.#addOddKey(depth, start, at) : this.#keys.add(depth, start + 1, at - 1);
          if (!isNew) return this.#stop('PC_REVIEW_DUPLICATE_KEY', start);
          wanted = this.#nodes[depth];
          if (wanted !== undefined) {
            wanted = isOdd
              ? this.#childByName(wanted, start, at)
              : childByBytes(wanted, bytes, start + 1, at - 1);
          }
          while (at < end && (byte = bytes[at] as number) <= 0x20 && isBlank(byte)) at++;
          if (at === end || byte !== COLON) return ~at;
          at++;
          isKey = false;
          continue;
        }
      } else if (isKey) {
        return ~at;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (depth === this.#maxDepth) return this.#stop('PC_REVIEW_DEPTH', start);
        const closer = byte + 2;
        at++;
        while (at < end && (byte = bytes[at] as number) <= 0x20 && isBlank(byte)) at++;
        if (at === end) return ~at;
        if (byte !== closer) {
          closers[++depth] = closer;
          isKey = closer === CLOSE_OBJECT;
          this.#open(depth, isKey, start, wanted);
          wanted = undefined;
          continue;
        }
        at++;
      } else {
        at =
          byte === MINUS || (byte >= DIGIT_0 && byte <= DIGIT_9) ? this.#number(at) : skipLiteral(bytes, at);
        if (at < 0) return at;
      }
      if (wanted !== undefined && wanted.slot !== -1) this.#capture(wanted.slot, start, at);
      // A value has ended: close containers up to the next comma.
      for (;;) {
        while (at < end && (byte = bytes[at] as number) <= 0x20 && isBlank(byte)) at++;
        if (depth === 0) return at === end ? at : ~at;
        if (at === end) return ~at;
        at++;
        if (byte === COMMA) break;
        if (byte !== closers[depth]) return ~(at - 1);
        this.#close(depth, byte === CLOSE_OBJECT, at);
        depth--;
      }
      isKey = closers[depth] === CLOSE_OBJECT;
      wanted = undefined;
    }
  }

  /** A key that has a shorter spelling; offsets take in the quotes. */
  #addOddKey(depth: number, start: number, end: number): boolean {
    return this.#keys.addText(depth, JSON.stringify(this.#stringAt(start, end)));
  }

  #childByName(node: ShapeNode, start: number, end: number): ShapeNode | undefined {
    const key = this.#stringAt(start, end);
    return node.children.find((child) => child.key === key);
  }

  #stringAt(start: number, end: number): string {
    return JSON.parse(this.#bytes.toString('utf8', start, end)) as string;
  }

  #number(from: number): number {
    const end = skipNumber(this.#bytes, from);
    if (end - from > LONG_NUMBER || hasExponent(this.#bytes, from, end)) this.#hasLongNumber = true;
    return end;
  }

  #open(depth: number, isObject: boolean, start: number, wanted: ShapeNode | undefined): void {
    this.#slots[depth] = -1;
    this.#nodes[depth] = undefined;
    if (isObject) this.#keys.open(depth);
    if (wanted === undefined) return;
    if (isObject && wanted.children.length > 0) this.#nodes[depth] = wanted;
    this.#slots[depth] = wanted.slot;
    if (wanted.slot !== -1) this.#ranges[wanted.slot] = start;
  }

  #close(depth: number, isObject: boolean, end: number): void {
    if (isObject) this.#keys.close(depth);
    const slot = this.#slots[depth] as number;
    if (slot !== -1) this.#ranges[slot + 1] = end;
  }

  #capture(slot: number, start: number, end: number): void {
    this.#ranges[slot] = start;
    this.#ranges[slot + 1] = end;
  }

  #stop(code: FaultCode, at: number): number {
    this.#code = code;
    return ~at;
  }

  #describe(at: number): Fault {
    const offset = { data: { offset: at } };
    switch (this.#code) {
      case 'PC_REVIEW_DEPTH':
        return new Fault(this.#code, `more than ${this.#maxDepth} levels of nesting at byte ${at}`, offset);
      case 'PC_REVIEW_DUPLICATE_KEY':
        return new Fault(
          this.#code,
          `key ${this.#quoteKey(at)} stands twice in one object at byte ${at}`,
          offset,
        );
      case 'PC_REVIEW_ENCODING':
        return new Fault(this.#code, 'the bytes are not valid UTF-8');
      default:
    }
    if (at >= this.#bytes.length) return new Fault('PC_REVIEW_JSON', `unexpected end at byte ${at}`, offset);
    if (isLoneSurrogate(this.#bytes, at)) {
      return new Fault('PC_REVIEW_ENCODING', `lone surrogate at byte ${at}`, offset);
    }
    return new Fault('PC_REVIEW_JSON', `unexpected byte at offset ${at}`, offset);
  }

  #quoteKey(at: number): string {
    const key = this.#stringAt(at, skipString(this.#bytes, at + 1));
    return `\`${key.length > SHOWN_KEY ? `${key.slice(0, SHOWN_KEY).toWellFormed()}…` : key}\``;
  }
}

const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
/** Any number of so many characters without an exponent is exact in a double as far as decimal digits go. */
const LONG_NUMBER = 15;
const SHOWN_KEY = 64;

function hasExponent(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start + 1; at < end; at++) if (((bytes[at] as number) | 0x20) === 0x65) return true;
  return false;
}

function childByBytes(node: ShapeNode, bytes: Buffer, start: number, end: number): ShapeNode | undefined {
  for (const child of node.children) if (matches(child.bytes, bytes, start, end)) return child;
  return undefined;
}

function matches(key: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let index = 0; index < key.length; index++) if (key[index] !== bytes[start + index]) return false;
  return true;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

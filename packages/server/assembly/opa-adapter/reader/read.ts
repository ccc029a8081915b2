/**
 * Reads JSON into values in the guest's memory, as the guest's own parser would, at a fraction of its price. AssemblyScript,
 * compiled by tools/build-opa-adapter.ts into src/engines/opa/reader-module.ts. It has no data of its own: the memory is the
 * guest's. Texts of strings and numbers stay where they are in the document.
 */
import { growArray } from './array';
import { beginBlocks, endBlocks, limit, next, nextPiece, setNext } from './blocks';
import { decodedAfter, decodeRest } from './decode-string';
import { ownFalse, ownTrue } from './flags';
import { opa_malloc } from './guest';
import { ARRAY, ARRAY_CAPACITY, ARRAY_ELEMENTS, ARRAY_LENGTH, OBJECT_COUNT, OBJECT_LENGTH } from './layout';
import { bucketOf, insert, isCrowded } from './object';
import { pay, STRIDE } from './pay';
import {
  BYTE_FUEL,
  COLON,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COMMA,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  skipBlanks,
  skipNumber,
  skipPlain,
} from './text';
import {
  ARRAY_SIZE,
  ELEMENT_SIZE,
  FLAG_SIZE,
  NUMBER_SIZE,
  OBJECT_SIZE,
  putArray,
  putBoolean,
  putElement,
  putInteger,
  putNull,
  putNumber,
  putObject,
  putString,
  STRING_SIZE,
} from './values';

/** Deeper ones are left to the guest's parser. The host's own limit for what it is asked is less. */
const MAX_DEPTH: u32 = 600;
/** Container, key and hash of the key for each level: what is around the present container. */
const FRAME_SIZE: u32 = 12;
/** Bytes of blocks that one turn of the loop takes, but for what grows. */
const ROOM: u32 = 256;

/**
 * The value of the document, or 0 when it is not plainly one: then the guest's parser has to be asked, with the text and the heap as
 * they were before. There must be room for 16 bytes behind the text, which is not kept as it was.
 */
export function read(text: u32, size: u32): u32 {
  // No token contains it, so nothing goes on beyond.
  store<u8>(text + size, 0);
  const frames = opa_malloc(MAX_DEPTH * FRAME_SIZE);
  beginBlocks();
  const value = document(text, text + size, frames);
  if (value != 0) endBlocks();
  return value;
}

/** One long function on purpose: its state lives in registers. */
function document(text: u32, end: u32, frames: u32): u32 {
  const deepest = frames + MAX_DEPTH * FRAME_SIZE;
  let at = skipBlanks(text);
  let paid = text;
  let free = next;
  let full = limit;
  let frame = frames;
  /** What the value is part of: nothing, an array, or an object under a key. */
  let container: u32 = 0;
  let isObject = false;
  let key: u32 = 0;
  let hash: u32 = 0;
  while (true) {
    if (full - free < ROOM) {
      setNext(free);
      nextPiece();
      free = next;
      full = limit;
    }
    if (at - paid >= STRIDE) {
      payText(at - paid);
      paid = at;
    }
    if (isObject) {
      if (load<u8>(at) != QUOTE) return 0;
      const start = at + 1;
      let stop = skipPlain(start);
      at = stop + 1;
      if (load<u8>(stop) != QUOTE) {
        stop = decodeRest(stop);
        at = decodedAfter;
        if (at == 0) return 0;
      }
      key = putString(free, start, stop - start);
      free += STRING_SIZE;
      // Now, so that the processor has it when the value is there.
      hash = hashOf(start, stop);
      at = skipBlanks(at);
      if (load<u8>(at) != COLON) return 0;
      at = skipBlanks(at + 1);
    }

    let value: u32 = 0;
    const first: u32 = load<u8>(at);
    if (first == QUOTE) {
      const start = at + 1;
      let stop = skipPlain(start);
      at = stop + 1;
      if (load<u8>(stop) != QUOTE) {
        stop = decodeRest(stop);
        at = decodedAfter;
        if (at == 0) return 0;
      }
      value = putString(free, start, stop - start);
      free += STRING_SIZE;
    } else if (first == OPEN_OBJECT || first == OPEN_ARRAY) {
      at = skipBlanks(at + 1);
      if (first == OPEN_OBJECT) {
        value = putObject(free);
        free += OBJECT_SIZE;
      } else {
        value = putArray(free);
        free += ARRAY_SIZE;
      }
      if (load<u8>(at) != first + 2) {
        if (frame == deepest) return 0;
        store<u32>(frame, container);
        store<u32>(frame, key, 4);
        store<u32>(frame, hash, 8);
        frame += FRAME_SIZE;
        container = value;
        isObject = first == OPEN_OBJECT;
        continue;
      }
      at++;
    } else if (first == 0x74) {
      if (load<u32>(at) != 0x65757274) return 0;
      at += 4;
      value = ownTrue != 0 ? ownTrue : putBoolean(free, 1);
      free += FLAG_SIZE;
    } else if (first == 0x66) {
      if (load<u32>(at, 1) != 0x65736c61) return 0;
      at += 5;
      value = ownFalse != 0 ? ownFalse : putBoolean(free, 0);
      free += FLAG_SIZE;
    } else if (first == 0x6e) {
      if (load<u32>(at) != 0x6c6c756e) return 0;
      at += 4;
      value = putNull(free);
      free += FLAG_SIZE;
    } else {
      const stop = skipNumber(at);
      if (stop == 0) return 0;
      value = putNumber(free, at, stop - at);
      free += NUMBER_SIZE;
      at = stop;
    }

    // It has ended, and so may what it is part of.
    while (true) {
      at = skipBlanks(at);
      if (container == 0) {
        payText(at - paid);
        setNext(free);
        return at == end ? value : 0;
      }
      if (!isObject && load<u32>(container, ARRAY_LENGTH) == load<u32>(container, ARRAY_CAPACITY)) {
        setNext(free);
        growArray(container);
        free = next;
        full = limit;
      }
      if (full - free < ROOM) {
        setNext(free);
        nextPiece();
        free = next;
        full = limit;
      }
      if (isObject) {
        const element = putElement(free, key, value, hash);
        free += ELEMENT_SIZE;
        const bucket = bucketOf(container, hash);
        const length = load<u32>(container, OBJECT_LENGTH) + 1;
        if (load<u32>(bucket) == 0 && !isCrowded(length, load<u32>(container, OBJECT_COUNT))) {
          store<u32>(bucket, element);
          store<u32>(container, length, OBJECT_LENGTH);
        } else {
          setNext(free);
          insert(container, element);
          free = next;
          full = limit;
        }
      } else {
        const length = load<u32>(container, ARRAY_LENGTH);
        const place = load<u32>(container, ARRAY_ELEMENTS) + (length << 3);
        store<u32>(place, putInteger(free, length));
        free += NUMBER_SIZE;
        store<u32>(place, value, 4);
        store<u32>(container, length + 1, ARRAY_LENGTH);
      }
      const byte: u32 = load<u8>(at++);
      if (byte == COMMA) break;
      if (byte != (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) return 0;
      value = container;
      frame -= FRAME_SIZE;
      container = load<u32>(frame);
      key = load<u32>(frame, 4);
      hash = load<u32>(frame, 8);
      isObject = container != 0 && load<u8>(container) != ARRAY;
    }
    at = skipBlanks(at);
  }
}

/** At most what is far from more than fuel can be: of a longer token, its scan has been paid for. */
function payText(size: u32): void {
  pay(min<u32>(size, 1 << 26) * BYTE_FUEL);
}

/** FNV-1 with 32 bits. */
function hashOf(from: u32, to: u32): u32 {
  let hash: u32 = 0x811c9dc5;
  let at = from;
  while (to - at > STRIDE) {
    for (const bound = at + STRIDE; at < bound; at++) hash = (hash * 0x01000193) ^ load<u8>(at);
    pay(STRIDE);
  }
  for (; at < to; at++) hash = (hash * 0x01000193) ^ load<u8>(at);
  return hash;
}

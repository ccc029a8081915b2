/** Makes values, each with its block, at an address that is free. With the header in front, the first 16 bytes are one store. */
import { HEADER } from './blocks';
import {
  ARRAY,
  BOOLEAN,
  ELEMENT_HASH,
  ELEMENT_NEXT,
  ELEMENT_VALUE,
  FIRST_BUCKETS,
  INTEGER,
  NULL,
  NUMBER,
  NUMBER_INTEGER,
  NUMBER_LENGTH,
  NUMBER_OWNS,
  NUMBER_TEXT,
  OBJECT,
  OBJECT_BUCKETS,
  OBJECT_COUNT,
  STRING,
  STRING_LENGTH,
  STRING_TEXT,
  TEXT,
} from './layout';

/** Bytes of the block of a value with its header. */
export const FLAG_SIZE: u32 = 16;
export const STRING_SIZE: u32 = 28;
export const NUMBER_SIZE: u32 = 76;
export const ARRAY_SIZE: u32 = 28;
export const ELEMENT_SIZE: u32 = 28;
/** With its first buckets. */
export const OBJECT_SIZE: u32 = 28 + 76;

// @ts-ignore: a decorator that only the compiler knows
@inline
export function putNull(at: u32): u32 {
  v128.store(at, i32x4(4, 0, 0, NULL));
  return at + HEADER;
}

// @ts-ignore: decorator
@inline
export function putBoolean(at: u32, is: u32): u32 {
  v128.store(at, i32x4(4, 0, 0, BOOLEAN));
  store<u8>(at, is, 13);
  return at + HEADER;
}

// @ts-ignore: decorator
@inline
export function putString(at: u32, text: u32, length: u32): u32 {
  v128.store(at, i32x4(16, 0, 0, STRING));
  store<u32>(at + HEADER, length, STRING_LENGTH);
  store<u32>(at + HEADER, text, STRING_TEXT);
  return at + HEADER;
}

// @ts-ignore: decorator
@inline
export function putNumber(at: u32, text: u32, length: u32): u32 {
  v128.store(at, i32x4(64, 0, 0, NUMBER | (TEXT << 8)));
  store<u32>(at + HEADER, text, NUMBER_TEXT);
  store<u32>(at + HEADER, length, NUMBER_LENGTH);
  store<u32>(at + HEADER, 0, NUMBER_OWNS);
  return at + HEADER;
}

// @ts-ignore: decorator
@inline
export function putInteger(at: u32, integer: u32): u32 {
  v128.store(at, i32x4(64, 0, 0, NUMBER | (INTEGER << 8)));
  store<u64>(at + HEADER, integer, NUMBER_INTEGER);
  return at + HEADER;
}

// @ts-ignore: decorator
@inline
export function putArray(at: u32): u32 {
  v128.store(at, i32x4(16, 0, 0, ARRAY));
  v128.store(at, i64x2.splat(0), 16);
  return at + HEADER;
}

// @ts-ignore: decorator
@inline
export function putObject(at: u32): u32 {
  const buckets = at + ELEMENT_SIZE;
  v128.store(at, i32x4(16, 0, 0, OBJECT));
  store<u32>(at + HEADER, buckets + HEADER, OBJECT_BUCKETS);
  store<u64>(at + HEADER, FIRST_BUCKETS, OBJECT_COUNT);
  v128.store(buckets, i32x4(64, 0, 0, 0));
  v128.store(buckets, i64x2.splat(0), 16);
  v128.store(buckets, i64x2.splat(0), 28);
  return at + HEADER;
}

// @ts-ignore: decorator
@inline
export function putElement(at: u32, key: u32, value: u32, hash: u32): u32 {
  v128.store(at, i32x4.replace_lane(i32x4(16, 0, 0, 0), 3, key));
  store<u32>(at + HEADER, value, ELEMENT_VALUE);
  store<u32>(at + HEADER, 0, ELEMENT_NEXT);
  store<u32>(at + HEADER, hash, ELEMENT_HASH);
  return at + HEADER;
}

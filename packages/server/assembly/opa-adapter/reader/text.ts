/**
 * What stands in a text, up to the NUL that was put behind it: no token contains one, so nothing is read beyond but what is
 * loaded with it. Positions are addresses.
 */
import { pay, STRIDE } from './pay';

export const QUOTE: u32 = 0x22;
export const BACKSLASH: u32 = 0x5c;
export const COMMA: u32 = 0x2c;
export const COLON: u32 = 0x3a;
export const OPEN_ARRAY: u32 = 0x5b;
export const CLOSE_ARRAY: u32 = 0x5d;
export const OPEN_OBJECT: u32 = 0x7b;
export const CLOSE_OBJECT: u32 = 0x7d;
/** For each byte of the document, with all that is done for it but what is paid for elsewhere. */
export const BYTE_FUEL: u32 = 12;

// @ts-ignore: a decorator that only the compiler knows
@inline
export function skipBlanks(from: u32): u32 {
  return load<u8>(from) > 0x20 ? from : skipRun(from);
}

function skipRun(from: u32): u32 {
  let at = from;
  while (true) {
    for (const bound = at + STRIDE; at < bound; at += 16) {
      const bytes = v128.load(at);
      const lines = v128.or(i8x16.eq(bytes, i8x16.splat(0x0a)), i8x16.eq(bytes, i8x16.splat(0x0d)));
      const gaps = v128.or(i8x16.eq(bytes, i8x16.splat(0x20)), i8x16.eq(bytes, i8x16.splat(0x09)));
      const others = ~i8x16.bitmask(v128.or(lines, gaps)) & 0xffff;
      if (others != 0) return at + ctz(others);
    }
    pay(STRIDE);
  }
}

/** To the quote or backslash, or what is no ASCII or a control character. */
// @ts-ignore: decorator
@inline
export function skipPlain(from: u32): u32 {
  const stops = stopsAt(from);
  return stops != 0 ? from + ctz(stops) : skipLong(from + 16);
}

function skipLong(from: u32): u32 {
  let at = from;
  while (true) {
    for (const bound = at + STRIDE; at < bound; at += 16) {
      const stops = stopsAt(at);
      if (stops != 0) return at + ctz(stops);
    }
    pay(STRIDE);
  }
}

/** A bit for each of 16 bytes. */
// @ts-ignore: decorator
@inline
function stopsAt(at: u32): i32 {
  const bytes = v128.load(at);
  const marks = v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c)));
  // As signed numbers, bytes above ASCII are below zero.
  return i8x16.bitmask(v128.or(marks, i8x16.lt_s(bytes, i8x16.splat(0x20))));
}

/** The end of a number as JSON has them; 0 when it is none. */
export function skipNumber(from: u32): u32 {
  let at = load<u8>(from) == 0x2d ? from + 1 : from;
  if (load<u8>(at) == 0x30) at++;
  else at = skipDigits(at);
  if (at == 0) return 0;
  if (load<u8>(at) == 0x2e) at = skipDigits(at + 1);
  if (at == 0 || (load<u8>(at) | 0x20) != 0x65) return at;
  const sign: u32 = load<u8>(at, 1);
  return skipDigits(sign == 0x2b || sign == 0x2d ? at + 2 : at + 1);
}

/** At least one. */
function skipDigits(from: u32): u32 {
  let at = from;
  while (true) {
    for (const bound = at + STRIDE; at < bound; at++) {
      if (<u32>load<u8>(at) - 0x30 >= 10) return at == from ? 0 : at;
    }
    pay(STRIDE);
  }
}

import { BACKSLASH, DIGIT_0, LETTER_U, QUOTE, SLASH } from './bytes';

export function skipBlanks(from: u32): u32 {
  return load<u8>(from) > 0x20 ? from : skipRun(from);
}

function skipRun(from: u32): u32 {
  let at = from;
  while (true) {
    const bytes = v128.load(at);
    const lines = v128.or(i8x16.eq(bytes, i8x16.splat(0x0a)), i8x16.eq(bytes, i8x16.splat(0x0d)));
    const gaps = v128.or(i8x16.eq(bytes, i8x16.splat(0x20)), i8x16.eq(bytes, i8x16.splat(0x09)));
    const others = ~i8x16.bitmask(v128.or(lines, gaps)) & 0xffff;
    if (others != 0) return at + ctz(others);
    at += 16;
  }
}

/** To the quote, backslash or control character that ends the plain bytes of a string. */
export function skipPlain(from: u32): u32 {
  let at = from;
  while (true) {
    const bytes = v128.load(at);
    const marks = v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c)));
    const stops = i8x16.bitmask(v128.or(marks, i8x16.lt_u(bytes, i8x16.splat(0x20))));
    if (stops != 0) return at + ctz(stops);
    at += 16;
  }
}

/** The rest of a string from where its first plain bytes end. */
export function skipEscapes(from: u32): i32 {
  let at = from;
  while (load<u8>(at) == BACKSLASH) {
    const stop = skipEscape(at);
    if (stop < 0) return stop;
    at = skipPlain(stop);
  }
  return load<u8>(at) == QUOTE ? at + 1 : ~at;
}

/**
 * Whether the rest of a well-formed string is spelled as `JSON.stringify` spells it: no `\u` and no `\/`. Two such strings are equal
 * when their bytes are, for a character that can be escaped in a short way cannot stand there unescaped.
 */
export function isCanonical(from: u32): bool {
  let at = from;
  while (load<u8>(at) == BACKSLASH) {
    const letter: u32 = load<u8>(at, 1);
    if (letter == LETTER_U || letter == SLASH) return false;
    at = skipPlain(at + 2);
  }
  return true;
}

/** A surrogate that has no partner stops the scan at its backslash. */
function skipEscape(from: u32): i32 {
  const letter: u32 = load<u8>(from, 1);
  if (letter == LETTER_U) return skipUnicode(from);
  switch (letter) {
    case QUOTE:
    case BACKSLASH:
    case SLASH:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return from + 2;
    default:
      return ~from;
  }
}

function skipUnicode(from: u32): i32 {
  const unit = codeUnit(from);
  if (unit < 0) return ~from;
  if (unit < 0xd800 || unit > 0xdfff) return from + 6;
  if (unit > 0xdbff) return ~from;
  const low = codeUnit(from + 6);
  return low >= 0xdc00 && low <= 0xdfff ? from + 12 : ~from;
}

/** The UTF-16 code unit of the `\uXXXX` at this address; negative when there is none. */
function codeUnit(from: u32): i32 {
  if (load<u8>(from) != BACKSLASH || load<u8>(from, 1) != LETTER_U) return -1;
  let unit: i32 = 0;
  for (let at = from + 2; at < from + 6; at++) {
    const byte: u32 = load<u8>(at);
    const letter = (byte | 0x20) - 0x61;
    if (byte - DIGIT_0 < 10) unit = (unit << 4) | (byte - DIGIT_0);
    else if (letter < 6) unit = (unit << 4) | (letter + 10);
    else return -1;
  }
  return unit;
}

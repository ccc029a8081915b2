/**
 * The rest of a string from where it is no plain ASCII any more: escapes are replaced where they stand, since what they stand for
 * is never longer. What has to be decided by the guest's own parser (surrogates, what is no UTF-8) is left to it.
 */
import { pay, STRIDE } from './pay';
import { BACKSLASH, QUOTE } from './text';

/** After the closing quote; 0 when the string was not read. */
export let decodedAfter: u32 = 0;

/** The end of the text. */
export function decodeRest(from: u32): u32 {
  let at = from;
  let to = from;
  decodedAfter = 0;
  while (true) {
    for (const bound = at + STRIDE; at < bound;) {
      const byte: u32 = load<u8>(at);
      if (byte == QUOTE) {
        decodedAfter = at + 1;
        return to;
      }
      if (byte < 0x20) return 0;
      if (byte == BACKSLASH) {
        const letter: u32 = load<u8>(at, 1);
        if (letter == 0x75) {
          const unit = codeUnit(at + 2);
          if (unit < 0 || (unit & 0xf800) == 0xd800) return 0;
          to = encode(to, unit);
          at += 6;
        } else {
          const character = escaped(letter);
          if (character == 0) return 0;
          store<u8>(to++, character);
          at += 2;
        }
      } else {
        const size: u32 = byte < 0x80 ? 1 : sizeOf(at, byte);
        if (size == 0) return 0;
        for (let index: u32 = 0; index < size; index++) store<u8>(to + index, load<u8>(at + index));
        to += size;
        at += size;
      }
    }
    pay(STRIDE);
  }
}

function escaped(letter: u32): u32 {
  switch (letter) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
      return letter;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return 0;
  }
}

/** Of four hexadecimal digits; below zero when they are none. */
function codeUnit(from: u32): i32 {
  let unit: i32 = 0;
  for (let at = from; at < from + 4; at++) {
    const byte: u32 = load<u8>(at);
    const letter = (byte | 0x20) - 0x61;
    if (byte - 0x30 < 10) unit = (unit << 4) | (byte - 0x30);
    else if (letter < 6) unit = (unit << 4) | (letter + 10);
    else return -1;
  }
  return unit;
}

/** UTF-8 of what is no surrogate. */
function encode(to: u32, unit: u32): u32 {
  if (unit < 0x80) {
    store<u8>(to, unit);
    return to + 1;
  }
  if (unit < 0x800) {
    store<u8>(to, 0xc0 | (unit >> 6));
    store<u8>(to, 0x80 | (unit & 0x3f), 1);
    return to + 2;
  }
  store<u8>(to, 0xe0 | (unit >> 12));
  store<u8>(to, 0x80 | ((unit >> 6) & 0x3f), 1);
  store<u8>(to, 0x80 | (unit & 0x3f), 2);
  return to + 3;
}

/** Bytes of the character that begins with this byte above ASCII; 0 when it is no UTF-8 (RFC 3629). */
function sizeOf(at: u32, first: u32): u32 {
  const second: u32 = load<u8>(at, 1);
  if (first < 0xe0) return first >= 0xc2 && isNext(second) ? 2 : 0;
  if (!isNext(second) || !isNext(load<u8>(at, 2))) return 0;
  if (first < 0xf0) {
    const isShort = first == 0xe0 && second < 0xa0;
    const isSurrogate = first == 0xed && second >= 0xa0;
    return isShort || isSurrogate ? 0 : 3;
  }
  const isShort = first == 0xf0 && second < 0x90;
  const isBeyond = first > 0xf4 || (first == 0xf4 && second >= 0x90);
  return isShort || isBeyond || !isNext(load<u8>(at, 3)) ? 0 : 4;
}

function isNext(byte: u32): bool {
  return (byte & 0xc0) == 0x80;
}

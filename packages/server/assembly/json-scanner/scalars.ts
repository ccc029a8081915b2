import { DIGIT_0, LETTER_E, MINUS, PLUS, POINT } from './bytes';
import { LONG_NUMBER, RESULT } from './layout';

export function skipNumber(from: u32): i32 {
  let at: i32 = load<u8>(from) == MINUS ? from + 1 : from;
  if (load<u8>(at) == DIGIT_0) at++;
  else if ((at = skipDigits(at)) < 0) return at;
  if (load<u8>(at) == POINT && (at = skipDigits(at + 1)) < 0) return at;
  if ((load<u8>(at) | 0x20) == LETTER_E) {
    const sign: u32 = load<u8>(at, 1);
    at = skipDigits(sign == PLUS || sign == MINUS ? at + 2 : at + 1);
    if (at < 0) return at;
    store<u32>(RESULT, 1);
  }
  if (<u32>at - from > LONG_NUMBER) store<u32>(RESULT, 1);
  return at;
}

/** At least one digit. */
function skipDigits(from: u32): i32 {
  let at = from;
  while (<u32>load<u8>(at) - DIGIT_0 < 10) at++;
  return at == from ? ~at : at;
}

export function skipLiteral(from: u32): i32 {
  switch (load<u8>(from)) {
    case 0x74: // true
      return skipWord(from, 0x65757274, 0, 4);
    case 0x66: // false
      return skipWord(from, 0x736c6166, 0x65, 5);
    case 0x6e: // null
      return skipWord(from, 0x6c6c756e, 0, 4);
    default:
      return ~from;
  }
}

/** A word is its first four bytes, a last one or zero, and its length. */
function skipWord(from: u32, head: u32, last: u32, length: u32): i32 {
  const others = load<u32>(from) ^ head;
  if (others != 0) return ~(from + (ctz(others) >> 3));
  if (last != 0 && load<u8>(from, 4) != last) return ~(from + 4);
  return from + length;
}

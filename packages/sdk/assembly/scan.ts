import { containerEnd } from './long-containers';

/**
 * Moving over JSON text in memory. The text ends with a zero byte, which no rule accepts, so nothing looks for its end;
 * and at least eight bytes behind it are ours, so that eight can be read at a time.
 */

export const QUOTE: u8 = 0x22;
export const BACKSLASH: u8 = 0x5c;
export const OPEN_OBJECT: u8 = 0x7b;
export const CLOSE_OBJECT: u8 = 0x7d;
export const OPEN_LIST: u8 = 0x5b;
export const CLOSE_LIST: u8 = 0x5d;
export const COMMA: u8 = 0x2c;
export const COLON: u8 = 0x3a;

const ONES: u64 = 0x0101010101010101;
const HIGH: u64 = 0x8080808080808080;

export function skipSpace(at: usize): usize {
  let byte = load<u8>(at);
  while (byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09) byte = load<u8>(++at);
  return at;
}

/** From inside a string to the first byte that is a quote, a backslash, a control character or not ASCII. */
export function skipPlain(at: usize): usize {
  while (true) {
    const word = load<u64>(at);
    const quote = word ^ (ONES * 0x22);
    const backslash = word ^ (ONES * 0x5c);
    const special =
      ((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash) | (word - ONES * 0x20) | word;
    if (special & HIGH) return at + usize(ctz(special & HIGH) >> 3);
    at += 8;
  }
}

/** From the opening quote of a checked string to its closing quote. */
export function closingQuote(at: usize): usize {
  at = skipPlain(at + 1);
  while (true) {
    const byte = load<u8>(at);
    if (byte == QUOTE) return at;
    at = skipPlain(at + (byte == BACKSLASH ? 2 : 1));
  }
}

/** From the first byte of a checked value to the byte behind it. */
export function skipValue(at: usize): usize {
  const first = load<u8>(at);
  if (first == QUOTE) return closingQuote(at) + 1;
  if (first == OPEN_OBJECT || first == OPEN_LIST) {
    const end = containerEnd(at);
    if (end != 0) return end;
    let depth = 0;
    while (true) {
      const byte = load<u8>(at);
      if (byte == QUOTE) at = closingQuote(at);
      // `{` and `[`, `}` and `]` differ in bit 5 only.
      else if ((byte | 0x20) == OPEN_OBJECT) depth += 1;
      else if ((byte | 0x20) == CLOSE_OBJECT && --depth == 0) return at + 1;
      at += 1;
    }
  }
  // Numbers, true, false, null: up to what may follow a value.
  while (true) {
    const byte = load<u8>(++at);
    if (byte == COMMA || byte == CLOSE_OBJECT || byte == CLOSE_LIST || byte <= 0x20) return at;
  }
}

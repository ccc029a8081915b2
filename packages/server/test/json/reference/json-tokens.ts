/**
 * The tokens of RFC 8259 over bytes. Each function gets the offset where its token starts and answers the offset after it, or
 * `~offset` of the byte that is wrong: a negative number, so that the hot loop needs no objects.
 */
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_ARRAY = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_ARRAY = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
const LETTER_U = 0x75;
const SLASH = 0x2f;

const ESCAPES = table('"\\/bfnrt');
const DIGITS = table('0123456789');
const LITERALS = ['true', 'false', 'null'].map((word) => Buffer.from(word));

export function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** To the quote, backslash or control character that ends the plain bytes of a string, or to the end of all bytes. */
function skipPlain(bytes: Uint8Array, from: number): number {
  // Comparisons with an explicit bound: half the time of a lookup table that may be read past its end.
  const end = bytes.length;
  let at = from;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte === QUOTE || byte === BACKSLASH || byte < 0x20) break;
    at++;
  }
  return at;
}

/** `from` is the offset after the opening quote. */
export function skipString(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    at = skipPlain(bytes, at);
    if (at === bytes.length) return ~at;
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH) return ~at;
    at = skipEscape(bytes, at);
    if (at < 0) return at;
  }
}

/** A surrogate that has no partner stops the scan at its backslash. */
function skipEscape(bytes: Uint8Array, from: number): number {
  const letter = bytes[from + 1];
  if (letter !== LETTER_U) return ESCAPES[letter as number] === 1 ? from + 2 : ~from;
  const unit = codeUnit(bytes, from);
  if (unit < 0xd800 || unit > 0xdfff) return unit === -1 ? ~from : from + 6;
  if (unit > 0xdbff || bytes[from + 6] !== BACKSLASH) return ~from;
  const low = codeUnit(bytes, from + 6);
  return low >= 0xdc00 && low <= 0xdfff ? from + 12 : ~from;
}

/** The UTF-16 code unit of the `\uXXXX` at this offset, or -1 when there is none. */
function codeUnit(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== BACKSLASH || bytes[from + 1] !== LETTER_U) return -1;
  let unit = 0;
  for (let at = from + 2; at < from + 6; at++) {
    const digit = hexDigit(bytes[at]);
    if (digit === -1) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * Whether a string is spelled as `JSON.stringify` spells it, given that it is well-formed: no `\u` and no `\/`. Two such
 * strings are equal when their bytes are, for a character that can be escaped in a short way cannot stand there unescaped.
 */
export function isCanonical(bytes: Uint8Array, start: number, end: number): boolean {
  let at = skipPlain(bytes, start);
  while (at < end && bytes[at] === BACKSLASH) {
    const letter = bytes[at + 1];
    if (letter === LETTER_U || letter === SLASH) return false;
    at = skipPlain(bytes, at + 2);
  }
  return true;
}

/** Whether what stopped a string at this offset is a surrogate without its partner. */
export function isLoneSurrogate(bytes: Uint8Array, at: number): boolean {
  const unit = codeUnit(bytes, at);
  return unit >= 0xd800 && unit <= 0xdfff;
}

export function skipNumber(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === 0x2d ? from + 1 : from;
  if (bytes[at] === 0x30) at++;
  else if ((at = skipDigits(bytes, at)) < 0) return at;
  if (bytes[at] === 0x2e && (at = skipDigits(bytes, at + 1)) < 0) return at;
  const byte = bytes[at];
  if (byte !== 0x65 && byte !== 0x45) return at;
  const sign = bytes[at + 1];
  return skipDigits(bytes, sign === 0x2b || sign === 0x2d ? at + 2 : at + 1);
}

/** At least one digit. */
function skipDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  while (DIGITS[bytes[at] as number] === 1) at++;
  return at === from ? ~at : at;
}

export function skipLiteral(bytes: Uint8Array, from: number): number {
  const word = LITERALS.find((candidate) => candidate[0] === bytes[from]);
  if (word === undefined) return ~from;
  for (let index = 1; index < word.length; index++) {
    if (bytes[from + index] !== word[index]) return ~(from + index);
  }
  return from + word.length;
}

function table(characters: string): Uint8Array {
  const marks = new Uint8Array(256);
  for (const byte of Buffer.from(characters)) marks[byte] = 1;
  return marks;
}

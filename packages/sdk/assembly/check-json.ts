import { clearContainers, enterContainer, leaveContainer } from './long-containers';
import {
  BACKSLASH,
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  skipPlain,
  skipSpace,
} from './scan';

/** Deepest nesting that is accepted. */
const MAX_DEPTH: usize = 512;

/** Where the check stands; behind a problem, where it was found. */
let at: usize = 0;

/** Whether the zero-terminated text is one JSON value, strictly by RFC 8259. Does not recurse. */
export function isJson(start: usize, end: usize): bool {
  at = skipSpace(start);
  // Per open container: its closing character and its number.
  const closers = memory.data(512);
  const numbers = memory.data(2048, 4);
  clearContainers();
  let depth: usize = 0;
  while (true) {
    const first = load<u8>(at);
    if (first == OPEN_OBJECT || first == OPEN_LIST) {
      // `}` is `{` + 2, `]` is `[` + 2.
      const close = first + 2;
      const start = at;
      at = skipSpace(at + 1);
      if (load<u8>(at) == close) {
        at += 1;
      } else {
        if (depth == MAX_DEPTH) return false;
        store<u8>(closers + depth, close);
        store<u32>(numbers + (depth << 2), enterContainer(start));
        depth += 1;
        if (first == OPEN_OBJECT && !takeKey()) return false;
        continue;
      }
    } else if (!takeScalar(first)) {
      return false;
    }
    while (true) {
      at = skipSpace(at);
      if (depth == 0) return at == end;
      const close = load<u8>(closers + depth - 1);
      const next = load<u8>(at);
      if (next == COMMA) {
        at = skipSpace(at + 1);
        if (close == CLOSE_OBJECT && !takeKey()) return false;
        break;
      }
      if (next != close) return false;
      at += 1;
      depth -= 1;
      leaveContainer(load<u32>(numbers + (depth << 2)), at);
    }
  }
}

/** Offset of the problem that `isJson` found. */
export function problemOffset(start: usize): i32 {
  return i32(at - start);
}

function takeKey(): bool {
  if (load<u8>(at) != QUOTE || !takeString()) return false;
  at = skipSpace(at);
  if (load<u8>(at) != COLON) return false;
  at = skipSpace(at + 1);
  return true;
}

function takeScalar(first: u8): bool {
  if (first == QUOTE) return takeString();
  if (first == 0x74) return takeWord(0x65757274, 4); // true
  if (first == 0x66) return takeWord(0x736c6166, 4) && load<u8>(at++) == 0x65; // fals, e
  if (first == 0x6e) return takeWord(0x6c6c756e, 4); // null
  return takeNumber();
}

function takeWord(letters: u32, length: usize): bool {
  if (load<u32>(at) != letters) return false;
  at += length;
  return true;
}

function takeString(): bool {
  at += 1;
  while (true) {
    at = skipPlain(at);
    const byte = load<u8>(at);
    at += 1;
    if (byte == QUOTE) return true;
    if (byte < 0x20) return false;
    if (byte == BACKSLASH && !takeEscape()) return false;
  }
}

function takeEscape(): bool {
  const kind = load<u8>(at++);
  if (kind == 0x75) {
    for (let digit = 0; digit < 4; digit++) if (!isHex(load<u8>(at++))) return false;
    return true;
  }
  // " \ / b f n r t
  return (
    kind == QUOTE ||
    kind == BACKSLASH ||
    kind == 0x2f ||
    kind == 0x62 ||
    kind == 0x66 ||
    kind == 0x6e ||
    kind == 0x72 ||
    kind == 0x74
  );
}

function takeNumber(): bool {
  if (load<u8>(at) == 0x2d) at += 1;
  if (load<u8>(at) == 0x30) at += 1;
  else if (!takeDigits()) return false;
  if (load<u8>(at) == 0x2e) {
    at += 1;
    if (!takeDigits()) return false;
  }
  if ((load<u8>(at) | 0x20) == 0x65) {
    at += 1;
    const sign = load<u8>(at);
    if (sign == 0x2b || sign == 0x2d) at += 1;
    return takeDigits();
  }
  return true;
}

function takeDigits(): bool {
  if (!isDigit(load<u8>(at))) return false;
  while (isDigit(load<u8>(at))) at += 1;
  return true;
}

function isDigit(byte: u8): bool {
  return byte - 0x30 < 10;
}

function isHex(byte: u8): bool {
  return isDigit(byte) || (byte | 0x20) - 0x61 < 6;
}

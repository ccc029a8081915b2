import { BACKSLASH } from './scan';

/** What the inside of a checked JSON string means. */
export function decodeText(start: usize, end: usize): string {
  let out = '';
  let plain = start;
  for (let at = start; at < end;) {
    if (load<u8>(at) != BACKSLASH) {
      at += 1;
      continue;
    }
    out += String.UTF8.decodeUnsafe(plain, at - plain);
    const kind = load<u8>(at + 1);
    // A surrogate pair is two escapes and becomes two code units, which is how strings are stored here.
    out += String.fromCharCode(kind == 0x75 ? hex4(at + 2) : unescaped(kind));
    at += kind == 0x75 ? 6 : 2;
    plain = at;
  }
  const rest = String.UTF8.decodeUnsafe(plain, end - plain);
  return out.length == 0 ? rest : out + rest;
}

/** Whether it means `text`; without building a string where neither escapes nor other scripts are involved. */
export function isText(start: usize, end: usize, text: string): bool {
  const length = end - start;
  const units = changetype<usize>(text);
  let isPlain = length == usize(text.length);
  for (let index: usize = 0; index < length; index++) {
    const byte = load<u8>(start + index);
    if (byte == BACKSLASH || byte > 0x7f) return decodeText(start, end) == text;
    if (isPlain && u16(byte) != load<u16>(units + (index << 1))) isPlain = false;
  }
  return isPlain;
}

function unescaped(kind: u8): i32 {
  if (kind == 0x62) return 8;
  if (kind == 0x66) return 12;
  if (kind == 0x6e) return 10;
  if (kind == 0x72) return 13;
  if (kind == 0x74) return 9;
  return kind;
}

function hex4(at: usize): i32 {
  let code = 0;
  for (let index: usize = 0; index < 4; index++) {
    const byte = i32(load<u8>(at + index));
    code = (code << 4) | (byte < 0x3a ? byte - 0x30 : (byte | 0x20) - 0x57);
  }
  return code;
}

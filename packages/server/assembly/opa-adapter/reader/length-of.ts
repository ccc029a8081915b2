import { pay, STRIDE } from './pay';

/** Bytes of the text at the address before its NUL; -1 when memory ends without one. */
export function lengthOf(text: u32): i32 {
  const size = (<u64>memory.size()) << 16;
  let at = text;
  while (<u64>at + STRIDE <= size) {
    for (const bound = at + STRIDE; at < bound; at += 16) {
      const ends = i8x16.bitmask(i8x16.eq(v128.load(at), i64x2.splat(0)));
      if (ends != 0) return at + ctz(ends) - text;
    }
    pay(STRIDE);
  }
  for (; <u64>at < size; at++) {
    if (load<u8>(at) == 0) return at - text;
  }
  return -1;
}

import { addKey, widen } from './host';
import {
  FRAMES,
  FRAME_KEYS,
  FRAME_SIZE,
  KEYS,
  KEYS_SIZE,
  KEY_ADDRESS,
  KEY_LENGTH,
  NODE_CHILD,
  NODE_CHILDREN_END,
  NODE_KEY,
  NODE_KEY_LENGTH,
  NODE_SIZE,
  NOTHING,
  PAIRWISE,
} from './layout';

/** A key in its one spelling, without quotes. */
export function isNewKey(depth: u32, key: u32, length: u32): bool {
  const frame = FRAMES + depth * FRAME_SIZE;
  const keys = KEYS + depth * KEYS_SIZE;
  const count = load<u32>(frame, FRAME_KEYS);
  if (count >= PAIRWISE) return isNewWideKey(depth, key, length);
  const print = fingerprint(key, length);
  const prints = i32x4.splat(print);
  for (let index: u32 = 0; index < count; index += 4) {
    let hits = i32x4.bitmask(i32x4.eq(v128.load(keys + (index << 2)), prints));
    // What stands behind the last key is left from another object.
    if (count - index < 4) hits &= (1 << (count - index)) - 1;
    for (; hits != 0; hits &= hits - 1) {
      const other = keys + ((index + ctz(hits)) << 2);
      if (load<u32>(other, KEY_LENGTH) == length && isSame(load<u32>(other, KEY_ADDRESS), key, length))
        return false;
    }
  }
  const place = keys + (count << 2);
  store<u32>(place, print);
  store<u32>(place, key, KEY_ADDRESS);
  store<u32>(place, length, KEY_LENGTH);
  store<u32>(frame, count + 1, FRAME_KEYS);
  return true;
}

/** The host has sets that hash with a secret seed. */
function isNewWideKey(depth: u32, key: u32, length: u32): bool {
  const frame = FRAMES + depth * FRAME_SIZE;
  if (load<u32>(frame, FRAME_KEYS) == PAIRWISE) {
    widen(depth);
    const end = KEYS + depth * KEYS_SIZE + 4 * PAIRWISE;
    for (let place = KEYS + depth * KEYS_SIZE; place < end; place += 4) {
      const known = load<u32>(place, KEY_ADDRESS);
      addKey(depth, known - 1, known + load<u32>(place, KEY_LENGTH) + 1);
    }
    store<u32>(frame, PAIRWISE + 1, FRAME_KEYS);
  }
  return addKey(depth, key - 1, key + length + 1);
}

/** Tells most keys apart; equal keys have equal ones. */
function fingerprint(key: u32, length: u32): u32 {
  let mix = load<u64>(key);
  if (length < 8) mix &= ((<u64>1) << (length << 3)) - 1;
  else mix ^= rotl<u64>(load<u64>(key + length - 8), 29);
  return (<u32>((mix * 0x9e3779b97f4a7c15) >> 32)) ^ length;
}

function isSame(a: u32, b: u32, length: u32): bool {
  for (let done: u32 = 0; done < length; done += 16) {
    let others = i8x16.bitmask(i8x16.ne(v128.load(a + done), v128.load(b + done)));
    if (length - done < 16) others &= (1 << (length - done)) - 1;
    if (others != 0) return false;
  }
  return true;
}

/** The child of a node of the shape that has this key. */
export function childOf(node: u32, key: u32, length: u32): u32 {
  const end = load<u32>(node, NODE_CHILDREN_END);
  for (let child = load<u32>(node, NODE_CHILD); child < end; child += NODE_SIZE) {
    if (load<u32>(child, NODE_KEY_LENGTH) == length && isSame(load<u32>(child, NODE_KEY), key, length))
      return child;
  }
  return NOTHING;
}

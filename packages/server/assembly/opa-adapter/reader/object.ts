import { block } from './blocks';
import {
  ELEMENT_HASH,
  ELEMENT_KEY,
  ELEMENT_NEXT,
  ELEMENT_VALUE,
  OBJECT_BUCKETS,
  OBJECT_COUNT,
  OBJECT_LENGTH,
  STRING_LENGTH,
  STRING_TEXT,
} from './layout';
import { clear, pay } from './pay';

const LINK_FUEL: u32 = 40;
const COMPARED_FUEL: u32 = 8;

/** Whether an object with so many elements has too few buckets: the load is at most 0.7. */
export function isCrowded(length: u32, buckets: u32): bool {
  return <u64>length * 10 > <u64>buckets * 7;
}

export function bucketOf(object: u32, hash: u32): u32 {
  const last = load<u32>(object, OBJECT_COUNT) - 1;
  return load<u32>(object, OBJECT_BUCKETS) + ((hash & last) << 2);
}

/** A key that is there keeps its place and gets the value. */
export function insert(object: u32, element: u32): void {
  const hash = load<u32>(element, ELEMENT_HASH);
  const key = load<u32>(element, ELEMENT_KEY);
  let link = placeIn(bucketOf(object, hash), key);
  const found = load<u32>(link);
  if (
    found != 0 &&
    load<u32>(found, ELEMENT_HASH) == hash &&
    compare(key, load<u32>(found, ELEMENT_KEY)) == 0
  ) {
    store<u32>(found, load<u32>(element, ELEMENT_VALUE), ELEMENT_VALUE);
    return;
  }
  const length = load<u32>(object, OBJECT_LENGTH) + 1;
  if (isCrowded(length, load<u32>(object, OBJECT_COUNT))) {
    grow(object);
    link = placeIn(bucketOf(object, hash), key);
  }
  store<u32>(element, load<u32>(link), ELEMENT_NEXT);
  store<u32>(link, element);
  store<u32>(object, length, OBJECT_LENGTH);
}

/** Where a pointer to the key's element is, or has to be. */
function placeIn(bucket: u32, key: u32): u32 {
  let link = bucket;
  while (true) {
    const element = load<u32>(link);
    if (element == 0 || compare(key, load<u32>(element, ELEMENT_KEY)) <= 0) return link;
    link = element + <u32>ELEMENT_NEXT;
  }
}

/** The elements of a bucket are spread over two, and keep their order. */
function grow(object: u32): void {
  const count = load<u32>(object, OBJECT_COUNT);
  const from = load<u32>(object, OBJECT_BUCKETS);
  const to = block(count << 3);
  clear(to, count << 3);
  for (let bucket: u32 = 0; bucket < count; bucket++) {
    let low = to + (bucket << 2);
    let high = low + (count << 2);
    let element = load<u32>(from + (bucket << 2));
    pay(LINK_FUEL);
    while (element != 0) {
      const next = load<u32>(element, ELEMENT_NEXT);
      const isHigh = (load<u32>(element, ELEMENT_HASH) & count) != 0;
      store<u32>(isHigh ? high : low, element);
      if (isHigh) high = element + <u32>ELEMENT_NEXT;
      else low = element + <u32>ELEMENT_NEXT;
      store<u32>(element, 0, ELEMENT_NEXT);
      element = next;
      pay(LINK_FUEL);
    }
  }
  store<u32>(object, to, OBJECT_BUCKETS);
  store<u32>(object, count << 1, OBJECT_COUNT);
}

/** By bytes, then by length. */
function compare(one: u32, other: u32): i32 {
  const oneLength = load<u32>(one, STRING_LENGTH);
  const otherLength = load<u32>(other, STRING_LENGTH);
  const oneText = load<u32>(one, STRING_TEXT);
  const otherText = load<u32>(other, STRING_TEXT);
  const shorter = min(oneLength, otherLength);
  pay(LINK_FUEL);
  for (let at: u32 = 0; at < shorter; at++) {
    const difference = <i32>load<u8>(oneText + at) - <i32>load<u8>(otherText + at);
    if (difference != 0) return difference;
    if ((at & 63) == 63) pay(64 * COMPARED_FUEL);
  }
  return oneLength < otherLength ? -1 : i32(oneLength > otherLength);
}

/**
 * The layout of values is nothing that OPA promises, so no module is believed to have it: a document is read in both ways, and what
 * the guest's parser makes of it must be what is made here, block by block. The walk follows what was made here, which is finite,
 * and looks at nothing of the guest's that is not in memory.
 */
import { HEADER } from './blocks';
import { findOwnFlags } from './flags';
import { opa_heap_ptr_get, opa_heap_ptr_set, opa_json_parse } from './guest';
import {
  ARRAY,
  ARRAY_CAPACITY,
  ARRAY_ELEMENTS,
  ARRAY_LENGTH,
  BOOLEAN,
  BOOLEAN_INTERNED,
  DETAIL,
  ELEMENT_KEY,
  ELEMENT_NEXT,
  ELEMENT_VALUE,
  INTEGER,
  NULL,
  NUMBER,
  NUMBER_INTEGER,
  NUMBER_LENGTH,
  NUMBER_OWNS,
  NUMBER_TEXT,
  OBJECT,
  OBJECT_BUCKETS,
  OBJECT_COUNT,
  OBJECT_LENGTH,
  STRING,
  STRING_LENGTH,
  STRING_TEXT,
} from './layout';
import { clear, pay } from './pay';
import { read } from './read';

/** Of the text at the address; `heap` is where the guest's heap ended before it, and ends afterwards, with nothing behind. */
export function isAlike(heap: u32, text: u32, size: u32): bool {
  findOwnFlags(text + size);
  const theirs = opa_json_parse(text, size);
  const ours = read(text, size);
  const is = ours != 0 && isSame(theirs, ours);
  const end = opa_heap_ptr_get();
  opa_heap_ptr_set(heap);
  if (end > heap && isInside(heap, end - heap)) clear(heap, end - heap);
  return is;
}

function isInside(address: u32, size: u32): bool {
  return <u64>address + size <= (<u64>memory.size()) << 16;
}

/** The same bytes before the block: its size, and that it is in use. */
function isSameBlock(theirs: u32, ours: u32): bool {
  if (theirs < HEADER || !isInside(theirs, load<u32>(ours - HEADER))) return false;
  pay(40);
  return (
    load<u32>(theirs - HEADER) == load<u32>(ours - HEADER) &&
    load<u64>(theirs - HEADER, 4) == load<u64>(ours - HEADER, 4)
  );
}

function isSame(theirs: u32, ours: u32): bool {
  const type: u32 = load<u8>(ours);
  if (type == BOOLEAN_INTERNED) return theirs == ours;
  if (!isSameBlock(theirs, ours)) return false;
  if (load<u8>(theirs) != type) return false;
  switch (type) {
    case NULL:
      return true;
    case BOOLEAN:
      return load<u8>(theirs, DETAIL) == load<u8>(ours, DETAIL);
    case NUMBER:
      return isSameNumber(theirs, ours);
    case STRING:
      return (
        isTextOf(theirs, load<u8>(theirs, DETAIL), load<u8>(ours, DETAIL)) &&
        isSameText(
          load<u32>(theirs, STRING_TEXT),
          load<u32>(theirs, STRING_LENGTH),
          load<u32>(ours, STRING_TEXT),
          load<u32>(ours, STRING_LENGTH),
        )
      );
    case ARRAY:
      return isSameArray(theirs, ours);
    default:
      return type == OBJECT && isSameObject(theirs, ours);
  }
}

/** Theirs have texts of their own, ours have not: that is the one difference, and both are in use in the guest. */
function isTextOf(theirs: u32, theirsOwn: u32, oursOwn: u32): bool {
  return theirs != 0 && theirsOwn == 1 && oursOwn == 0;
}

function isSameText(theirs: u32, theirLength: u32, ours: u32, ourLength: u32): bool {
  if (theirLength != ourLength || !isInside(theirs, theirLength)) return false;
  pay(ourLength);
  return memory.compare(theirs, ours, ourLength) == 0;
}

function isSameNumber(theirs: u32, ours: u32): bool {
  const way: u32 = load<u8>(ours, DETAIL);
  if (load<u8>(theirs, DETAIL) != way) return false;
  if (way == INTEGER) return load<u64>(theirs, NUMBER_INTEGER) == load<u64>(ours, NUMBER_INTEGER);
  return (
    isTextOf(theirs, load<u8>(theirs, NUMBER_OWNS), load<u8>(ours, NUMBER_OWNS)) &&
    isSameText(
      load<u32>(theirs, NUMBER_TEXT),
      load<u32>(theirs, NUMBER_LENGTH),
      load<u32>(ours, NUMBER_TEXT),
      load<u32>(ours, NUMBER_LENGTH),
    )
  );
}

function isSameArray(theirs: u32, ours: u32): bool {
  const length = load<u32>(ours, ARRAY_LENGTH);
  if (load<u32>(theirs, ARRAY_LENGTH) != length) return false;
  if (load<u32>(theirs, ARRAY_CAPACITY) != load<u32>(ours, ARRAY_CAPACITY)) return false;
  const their = load<u32>(theirs, ARRAY_ELEMENTS);
  const our = load<u32>(ours, ARRAY_ELEMENTS);
  if (length == 0) return their == our;
  if (!isSameBlock(their, our)) return false;
  for (let place: u32 = 0; place < length << 3; place += 4) {
    if (!isSame(load<u32>(their + place), load<u32>(our + place))) return false;
  }
  return true;
}

function isSameObject(theirs: u32, ours: u32): bool {
  const count = load<u32>(ours, OBJECT_COUNT);
  if (load<u32>(theirs, OBJECT_COUNT) != count) return false;
  if (load<u32>(theirs, OBJECT_LENGTH) != load<u32>(ours, OBJECT_LENGTH)) return false;
  const their = load<u32>(theirs, OBJECT_BUCKETS);
  const our = load<u32>(ours, OBJECT_BUCKETS);
  if (!isSameBlock(their, our)) return false;
  for (let place: u32 = 0; place < count << 2; place += 4) {
    if (!isSameBucket(load<u32>(their + place), load<u32>(our + place))) return false;
  }
  return true;
}

function isSameBucket(theirs: u32, ours: u32): bool {
  let their = theirs;
  for (let our = ours; our != 0; our = load<u32>(our, ELEMENT_NEXT)) {
    if (!isSameBlock(their, our)) return false;
    if (!isSame(load<u32>(their, ELEMENT_KEY), load<u32>(our, ELEMENT_KEY))) return false;
    if (!isSame(load<u32>(their, ELEMENT_VALUE), load<u32>(our, ELEMENT_VALUE))) return false;
    their = load<u32>(their, ELEMENT_NEXT);
  }
  return their == 0;
}

/**
 * Where the long objects and lists of the checked document end, by where they start: stepping over one costs a search
 * instead of its length. Entries are {start: u32, end: u32} and ascend, because a container is entered before what is
 * inside and behind it.
 */

/** Stepping over less than this, in bytes, is cheaper than searching. */
const LONG: usize = 64;
const ENTRY: usize = 8;

let entries: usize = 0;
let capacity: usize = 0;
let count: usize = 0;

/** Forgets all; with the room for the first entries. */
export function clearContainers(): void {
  capacity = 128;
  entries = heap.alloc(capacity * ENTRY);
  count = 0;
}

/** A container starts here; its number, for `leaveContainer`. */
export function enterContainer(start: usize): u32 {
  if (count == capacity) {
    capacity *= 2;
    entries = heap.realloc(entries, capacity * ENTRY);
  }
  store<u32>(entries + count * ENTRY, u32(start));
  return u32(count++);
}

/** A container ends here. A short one is forgotten, as everything inside it was before. */
export function leaveContainer(number: u32, end: usize): void {
  const entry = entries + usize(number) * ENTRY;
  if (end - usize(load<u32>(entry)) < LONG) count = usize(number);
  else store<u32>(entry, u32(end), 4);
}

/** Where the container at `start` ends; 0 when it is a short one. */
export function containerEnd(start: usize): usize {
  let low: usize = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    const found = usize(load<u32>(entries + middle * ENTRY));
    if (found == start) return usize(load<u32>(entries + middle * ENTRY, 4));
    if (found < start) low = middle + 1;
    else high = middle;
  }
  return 0;
}

/**
 * Blocks as the guest's allocator makes them, `size previous next | bytes`, so that the guest may free what is in them. The
 * last two are for those that are free. Small sizes are one of 4, 8, 16 and 64; others stay as they are.
 */
import { opa_heap_ptr_get, opa_heap_ptr_set, opa_malloc } from './guest';
import { pay } from './pay';

export const HEADER: u32 = 12;
/** A piece of the guest's heap that blocks are cut from. */
const PIECE: u32 = 8 * 1024;
const LARGE: u32 = 4096;

/** Where the next block begins, and where the piece ends. Whoever keeps them in a register gives them back in between. */
export let next: u32 = 0;
export let limit: u32 = 0;
/** Blocks before this one are paid for, at a unit for each byte. */
let paid: u32 = 0;

export function beginBlocks(): void {
  next = opa_malloc(PIECE);
  limit = next + PIECE;
  paid = next;
}

export function setNext(address: u32): void {
  next = address;
}

export function nextPiece(): void {
  pay(next - paid);
  beginBlocks();
}

export function block(size: u32): u32 {
  if (size >= LARGE) return opa_malloc(size);
  if (limit - next < size + HEADER) nextPiece();
  const start = next;
  store<u32>(start, size);
  store<u64>(start, 0, 4);
  next = start + size + HEADER;
  return start + HEADER;
}

/** The guest gets back what was not used, unless it has put something behind. */
export function endBlocks(): void {
  pay(next - paid);
  if (opa_heap_ptr_get() == limit) opa_heap_ptr_set(next);
}

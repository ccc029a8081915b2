/** Bytes of one block of a snapshot: small enough to leave zeros out, large enough to copy fast. */
const BLOCK_BYTES = 4096;

interface Range {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** What a memory held after its set-up: only the ranges that are not zero are kept. */
export class MemorySnapshot {
  readonly #ranges: readonly Range[];

  constructor(memory: Uint8Array) {
    const ranges: Range[] = [];
    let start = -1;
    for (let at = 0; at <= memory.length; at += BLOCK_BYTES) {
      const block = memory.subarray(at, at + BLOCK_BYTES);
      const holds = block.some((byte) => byte !== 0);
      if (holds && start < 0) start = at;
      if (!holds && start >= 0) {
        ranges.push({ start, bytes: memory.slice(start, at) });
        start = -1;
      }
    }
    if (start >= 0) ranges.push({ start, bytes: memory.slice(start) });
    this.#ranges = ranges;
  }

  /** Makes `memory` what it was; `used` is how far it may have been written. */
  restore(memory: Uint8Array, used: number): void {
    let at = 0;
    for (const { start, bytes } of this.#ranges) {
      if (start > at) memory.fill(0, at, Math.min(start, used));
      memory.set(bytes, start);
      at = start + bytes.length;
    }
    if (used > at) memory.fill(0, at, used);
  }
}

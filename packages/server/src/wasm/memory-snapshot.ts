import { PAGE } from './guest-memory.ts';

/** Smaller stretches of zeros are copied with what is around them. */
const BLOCK = 4096;
const ZEROS = new Uint8Array(BLOCK);

interface Stretch {
  readonly start: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The contents of a memory, without what is zero. */
export interface MemorySnapshot {
  /** Bytes that the guest saw. */
  readonly size: number;
  readonly stretches: readonly Stretch[];
}

export function takeSnapshot(memory: Uint8Array<ArrayBuffer>): MemorySnapshot {
  const stretches: Stretch[] = [];
  let start = -1;
  for (let at = 0; at <= memory.length; at += BLOCK) {
    const isZero = at === memory.length || Buffer.compare(memory.subarray(at, at + BLOCK), ZEROS) === 0;
    if (isZero && start >= 0) {
      stretches.push({ start, bytes: memory.slice(start, at) });
      start = -1;
    } else if (!isZero && start < 0) start = at;
  }
  return { size: memory.length, stretches };
}

/** Brings the contents back and clears everything else, grown pages too. */
export function restoreSnapshot(memory: Uint8Array<ArrayBuffer>, snapshot: MemorySnapshot): void {
  let at = 0;
  for (const { start, bytes } of snapshot.stretches) {
    if (at < start) memory.fill(0, at, start);
    memory.set(bytes, start);
    at = start + bytes.length;
  }
  memory.fill(0, at);
}

export function isSameSnapshot(one: MemorySnapshot, other: MemorySnapshot): boolean {
  return (
    one.size === other.size &&
    one.stretches.length === other.stretches.length &&
    one.stretches.every(({ start, bytes }, index) => {
      const match = other.stretches[index];
      return match?.start === start && Buffer.compare(bytes, match.bytes) === 0;
    })
  );
}

/** Pages of a limit in bytes. */
export function wholePages(bytes: number): number {
  return Math.floor(bytes / PAGE);
}

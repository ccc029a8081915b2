import type { GuestMemory } from '../../wasm/guest-memory.ts';

/** Most texts are short. */
const FIRST_PIECE = 128;

/**
 * The text at an address, up to its NUL and not a copy; undefined when it leaves the memory or is longer than so many bytes.
 * Looked at in pieces, since a view of everything behind the address would have to be paid for.
 */
export function viewText(memory: GuestMemory, address: number, maxBytes: number): Uint8Array | undefined {
  const start = address >>> 0;
  for (let length = FIRST_PIECE; ; length *= 4) {
    const rest = Math.min(length, memory.size - start, maxBytes + 1);
    const piece = rest > 0 ? memory.view(start, rest) : undefined;
    if (piece === undefined) return undefined;
    const end = piece.indexOf(0);
    if (end >= 0) return piece.subarray(0, end);
    if (rest < length) return undefined;
  }
}

export function decodeText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

/** The linear memory of a guest, as host functions see it. Nothing is allocated here, whatever the guest claims. */
export interface GuestMemory {
  /** Bytes that the guest can see. */
  readonly size: number;
  /**
   * The guest's own bytes, not a copy; undefined when they are not all inside, or `length` is negative. A pointer may be
   * signed or unsigned. Stale once the guest runs again.
   */
  view(pointer: number, length: number): Uint8Array<ArrayBuffer> | undefined;
  /** The bytes as a text with a character for each, at the same price; undefined when `view` is. */
  latin1(pointer: number, length: number): string | undefined;
  /** False, and nothing written, when the bytes do not fit there. */
  write(pointer: number, bytes: Uint8Array): boolean;
}

export const PAGE = 65_536;

/** Units of fuel for a view, besides one for each 4 bytes: hosts copy, decode and keep them. */
const VIEW_FUEL = 16;

/** The parts of an instance that its memory is seen through. */
export interface MemoryParts {
  /** Absent when the module has none. */
  readonly memory: WebAssembly.Memory | undefined;
  readonly pages: WebAssembly.Global<number>;
  pay(fuel: number): void;
}

export class InstanceMemory implements GuestMemory {
  readonly #parts: MemoryParts;
  #bytes = new Uint8Array(0);
  /** The same bytes. */
  #buffer = Buffer.alloc(0);
  /** The guest sees at least so many bytes: what it sees only grows until it is reset. */
  #known = 0;

  constructor(parts: MemoryParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#parts.memory === undefined ? 0 : this.#parts.pages.value * PAGE;
  }

  /** All that is allocated, which may be more than the guest sees. */
  get physical(): Uint8Array<ArrayBuffer> {
    // Growth detaches the buffer, and the length of a view on it becomes 0.
    if (this.#bytes.length === 0 && this.#parts.memory !== undefined) {
      this.#bytes = new Uint8Array(this.#parts.memory.buffer);
      this.#buffer = Buffer.from(this.#parts.memory.buffer);
    }
    return this.#bytes;
  }

  view(pointer: number, length: number): Uint8Array<ArrayBuffer> | undefined {
    const start = this.#paidStart(pointer, length);
    return start === undefined ? undefined : this.physical.subarray(start, start + length);
  }

  latin1(pointer: number, length: number): string | undefined {
    const start = this.#paidStart(pointer, length);
    if (start === undefined || this.physical.length === 0) return undefined;
    return this.#buffer.toString('latin1', start, start + length);
  }

  #paidStart(pointer: number, length: number): number | undefined {
    const start = pointer >>> 0;
    if (!(length >= 0 && this.#reaches(start + length))) return undefined;
    this.#parts.pay(VIEW_FUEL + (length >>> 2));
    return start;
  }

  #reaches(end: number): boolean {
    if (end <= this.#known) return true;
    this.#known = this.size;
    return end <= this.#known;
  }

  forgetSize(): void {
    this.#known = 0;
  }

  write(pointer: number, bytes: Uint8Array): boolean {
    const target = this.view(pointer, bytes.length);
    target?.set(bytes);
    return target !== undefined;
  }
}

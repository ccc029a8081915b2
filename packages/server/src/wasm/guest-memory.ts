import { RESERVED } from './instrumented.ts';

const PAGE_BYTES = 65_536;

/** A guest's linear memory as host functions see it: everything is checked against the size that the guest itself sees. */
export class GuestMemory {
  readonly #memory: WebAssembly.Memory | undefined;
  readonly #pages: WebAssembly.Global<number> | undefined;
  #bytes: Uint8Array;

  constructor(exports: WebAssembly.Exports) {
    this.#memory = exports[RESERVED.memory] as WebAssembly.Memory | undefined;
    this.#pages = exports[RESERVED.pages] as WebAssembly.Global<number> | undefined;
    this.#bytes = this.#memory === undefined ? new Uint8Array() : new Uint8Array(this.#memory.buffer);
  }

  /** Bytes that the guest may address. */
  get size(): number {
    return (this.#pages?.value ?? 0) * PAGE_BYTES;
  }

  /** All bytes that are there, also those behind `size` that an earlier evaluation had grown. */
  get bytes(): Uint8Array {
    // Growing detaches the old buffer.
    if (this.#memory !== undefined && this.#bytes.length !== this.#memory.buffer.byteLength) {
      this.#bytes = new Uint8Array(this.#memory.buffer);
    }
    return this.#bytes;
  }

  /** A window, valid until the guest runs again; undefined when it is not wholly inside, or an argument is negative. */
  view(pointer: number, length: number): Uint8Array | undefined {
    if (pointer < 0 || length < 0 || pointer + length > this.size) return undefined;
    return this.bytes.subarray(pointer, pointer + length);
  }

  /** False when the range is not wholly inside; then nothing is written. */
  write(pointer: number, bytes: Uint8Array): boolean {
    const target = this.view(pointer, bytes.length);
    target?.set(bytes);
    return target !== undefined;
  }
}

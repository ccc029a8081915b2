import { READER_MODULE } from '../../../src/engines/opa/reader-module.ts';

/** A module of OPA's without a sandbox, and the reader beside it: both read the same text in the same memory. */
export interface PlainReader {
  /** What the reader makes of it, as the module writes it; undefined when it leaves the text to the module's parser. */
  readonly byReader: (text: Uint8Array) => string | undefined;
  /** What the module's own parser makes of it; undefined when it refuses it. */
  readonly byModule: (text: Uint8Array) => string | undefined;
  /** Whether both make the same of it, block by block. */
  readonly isAlike: (text: Uint8Array) => boolean;
  /** Fuel that the last call took in the reader. */
  readonly fuel: () => number;
}

interface OpaExports {
  readonly memory: WebAssembly.Memory;
  opa_malloc(size: number): number;
  opa_heap_ptr_get(): number;
  opa_heap_ptr_set(address: number): void;
  opa_json_parse(text: number, size: number): number;
  opa_json_dump(value: number): number;
}

interface ReaderExports {
  read(text: number, size: number): number;
  isAlike(heap: number, text: number, size: number): number;
}

const ROOM = 16;
const FULL = 2 ** 30;

class Aborted extends Error {}

export function createPlainReader(bytes: Uint8Array<ArrayBuffer>): PlainReader {
  const memory = new WebAssembly.Memory({ initial: 4 });
  const nothing = (): number => 0;
  const env = {
    memory,
    opa_abort: () => {
      throw new Aborted();
    },
    opa_println: nothing,
    opa_builtin0: nothing,
    opa_builtin1: nothing,
    opa_builtin2: nothing,
    opa_builtin3: nothing,
    opa_builtin4: nothing,
  };
  const opa = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env })
    .exports as unknown as OpaExports & WebAssembly.Exports;
  const fuel = new WebAssembly.Global({ value: 'i32', mutable: true }, FULL);
  const reader = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(READER_MODULE, 'base64')), {
    env: { memory },
    guest: { ...opa, fuel, refill: () => FULL },
  }).exports as unknown as ReaderExports;
  const base = opa.opa_heap_ptr_get();

  /** Address of the text, in a heap that has nothing else. */
  function put(text: Uint8Array): number {
    opa.opa_heap_ptr_set(base);
    // Where nothing is written, nothing must be read: a heap is not empty because it is new.
    new Uint8Array(memory.buffer, base).fill(0xa5);
    const address = opa.opa_malloc(text.length + ROOM);
    new Uint8Array(memory.buffer).set(text, address);
    fuel.value = FULL;
    return address;
  }

  function dump(value: number): string | undefined {
    if (value === 0) return undefined;
    const from = opa.opa_json_dump(value);
    const written = Buffer.from(memory.buffer, from);
    return written.toString('utf8', 0, written.indexOf(0));
  }

  function trying<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      if (error instanceof Aborted) return undefined;
      throw error;
    }
  }

  // Its own true and false are found when it is tried for the first time.
  reader.isAlike(base, put(Buffer.from('0')), 1);

  return {
    byReader: (text) => dump(reader.read(put(text), text.length)),
    byModule: (text) => trying(() => dump(opa.opa_json_parse(put(text), text.length))),
    isAlike: (text) => trying(() => reader.isAlike(base, put(text), text.length) === 1) ?? false,
    fuel: () => FULL - fuel.value,
  };
}

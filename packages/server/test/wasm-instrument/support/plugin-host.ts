import { RESERVED, RESERVED_MODULE } from '../../../src/wasm/instrumented.ts';

/** What one call of a policy's `validate` did. */
export interface PolicyRun {
  readonly outcome: string;
  readonly output: string;
  readonly memory: Uint8Array;
  /** 0 for a plain module. */
  readonly fuel: number;
}

/** Calls `validate` of a fresh instance, with a host that offers no more than the input and the output. */
export function runPolicy(module: WebAssembly.Module, input: Uint8Array, slice = 1 << 20): PolicyRun {
  let memory: WebAssembly.Memory | undefined;
  let output = '';
  let granted = 0;
  const bytes = (): Uint8Array => new Uint8Array(memory?.buffer ?? new ArrayBuffer(0));
  const env = {
    get_input_len: () => input.length,
    read_input: (pointer: number, length: number) => {
      bytes().set(input.subarray(0, length), pointer);
      return Math.min(length, input.length);
    },
    write_output: (pointer: number, length: number) => {
      output = Buffer.from(bytes().slice(pointer, pointer + length)).toString();
      return 0;
    },
    log_message: () => {},
    abort: () => {
      throw new Error('abort');
    },
  };
  const refill = (deficit: number): number => {
    granted += Math.max(slice, deficit);
    return Math.max(slice, deficit);
  };
  const instance = new WebAssembly.Instance(module, { env, [RESERVED_MODULE]: { refill } });
  memory = instance.exports['memory'] as WebAssembly.Memory;
  const run = (name: string): unknown => (instance.exports[name] as (() => unknown) | undefined)?.();
  let outcome: string;
  try {
    run(RESERVED.start);
    run('_initialize');
    outcome = String(run('validate'));
  } catch (error) {
    outcome = String(error);
  }
  const fuel = instance.exports[RESERVED.fuel] as WebAssembly.Global<number> | undefined;
  return { outcome, output, memory: bytes(), fuel: granted - (fuel?.value ?? 0) };
}

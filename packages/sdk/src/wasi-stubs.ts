type Stub = (...parameters: (number | bigint)[]) => number;

/** `errno` values of WASI preview 1. */
const SUCCESS = 0;
const BAD_DESCRIPTOR = 8;
const NOT_SUPPORTED = 52;

/**
 * Enough of WASI preview 1 for modules that were built against it: no arguments, no environment, no files, a clock
 * that stands still and a random source that gives zeros, so that tests repeat. What is written goes to `print`.
 */
export function wasiStubs(
  memory: () => WebAssembly.Memory,
  print: (line: string) => void,
): Record<string, Stub> {
  const view = (): DataView => new DataView(memory().buffer);
  const zeroPair: Stub = (first, second) => {
    view().setUint32(Number(first), 0, true);
    view().setUint32(Number(second), 0, true);
    return SUCCESS;
  };
  return {
    args_sizes_get: zeroPair,
    environ_sizes_get: zeroPair,
    args_get: () => SUCCESS,
    environ_get: () => SUCCESS,
    clock_res_get: (_, target) => (view().setBigUint64(Number(target), 1n, true), SUCCESS),
    clock_time_get: (_, __, target) => (view().setBigUint64(Number(target), 0n, true), SUCCESS),
    random_get: (pointer, length) => {
      new Uint8Array(memory().buffer, Number(pointer), Number(length)).fill(0);
      return SUCCESS;
    },
    sched_yield: () => SUCCESS,
    fd_write: (_, vectors, count, written) => {
      let total = 0;
      let text = '';
      for (let index = 0; index < Number(count); index += 1) {
        const at = Number(vectors) + 8 * index;
        const length = view().getUint32(at + 4, true);
        text += new TextDecoder().decode(new Uint8Array(memory().buffer, view().getUint32(at, true), length));
        total += length;
      }
      view().setUint32(Number(written), total, true);
      print(text);
      return SUCCESS;
    },
    fd_prestat_get: () => BAD_DESCRIPTOR,
    proc_exit: (code) => {
      throw new Error(`the module called proc_exit(${code})`);
    },
  };
}

/** For every import of the module that `stubs` lacks: "not supported", as a function that exists. */
export function unsupported(): number {
  return NOT_SUPPORTED;
}

import type { PluginInput } from './plugin-input.ts';
import { judgeRun, type PluginAnswer } from './plugin-answer.ts';
import type { PluginRun } from './plugin-run.ts';
import { unsupported, wasiStubs } from './wasi-stubs.ts';

/**
 * Runs a module of the plugin ABI in the process of a unit test: no fuel, no time limit, no memory limit. An endless
 * loop hangs the test; the server would end it.
 */
export interface PluginHarness {
  /** One evaluation in a fresh instance. A document is sent as JSON; bytes are sent as they are. */
  run(input: PluginInput | Uint8Array): PluginRun;
  /** `run`, read by the decision table of the ABI as the server reads it. */
  evaluate(input: PluginInput | Uint8Array): PluginAnswer;
}

/** Throws `WebAssembly.CompileError` for bytes that are no module and `TypeError` for one of another ABI. */
export async function createPluginHarness(bytes: Uint8Array<ArrayBuffer>): Promise<PluginHarness> {
  const module = await WebAssembly.compile(bytes);
  assertPluginModule(module);
  const run = (input: PluginInput | Uint8Array): PluginRun =>
    runOnce(module, input instanceof Uint8Array ? input : new TextEncoder().encode(JSON.stringify(input)));
  return { run, evaluate: (input) => judgeRun(run(input)) };
}

function assertPluginModule(module: WebAssembly.Module): void {
  for (const [name, kind] of [
    ['validate', 'function'],
    ['memory', 'memory'],
  ]) {
    if (!WebAssembly.Module.exports(module).some((item) => item.name === name && item.kind === kind)) {
      throw new TypeError(`not a module of the plugin ABI: it exports no ${kind} \`${name}\``);
    }
  }
}

function runOnce(module: WebAssembly.Module, input: Uint8Array): PluginRun {
  const logs: string[] = [];
  let output: Uint8Array | undefined;
  let memory: WebAssembly.Memory | undefined;
  const ready = (): WebAssembly.Memory => {
    if (memory === undefined) throw new Error('the module used its memory before it was instantiated');
    return memory;
  };
  const bytes = (pointer: number, length: number): Uint8Array | undefined => {
    const all = new Uint8Array(ready().buffer);
    const start = pointer >>> 0;
    return length < 0 || start + length > all.length ? undefined : all.subarray(start, start + length);
  };

  const env = {
    get_input_len: () => input.length,
    read_input: (pointer: number, length: number) => {
      const count = Math.min(length >>> 0, input.length);
      const target = bytes(pointer, count);
      target?.set(input.subarray(0, count));
      return target === undefined ? -1 : count;
    },
    write_output: (pointer: number, length: number) => {
      const source = bytes(pointer, length);
      output = source?.slice() ?? output;
      return source === undefined ? -1 : 0;
    },
    log_message: (pointer: number, length: number) => {
      const source = bytes(pointer, length);
      if (source !== undefined) logs.push(new TextDecoder().decode(source));
    },
  };

  let code: number | undefined;
  let trap: string | undefined;
  try {
    const imports = withStubs(module, {
      env,
      wasi_snapshot_preview1: wasiStubs(ready, (line) => logs.push(line)),
    });
    const { exports } = new WebAssembly.Instance(module, imports);
    memory = exports['memory'] as WebAssembly.Memory;
    (exports['_initialize'] as (() => void) | undefined)?.();
    code = (exports['validate'] as () => number)();
  } catch (error) {
    trap = error instanceof Error ? error.message : String(error);
  }
  return { code, output, logs, trap, memoryPages: (memory?.buffer.byteLength ?? 0) / 65536 };
}

/** WASI has many functions; those that we do not offer answer "not supported" when they are called. */
function withStubs(module: WebAssembly.Module, known: WebAssembly.Imports): WebAssembly.Imports {
  const wasi = { ...known['wasi_snapshot_preview1'] };
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    if (from === 'wasi_snapshot_preview1') wasi[name] ??= unsupported;
  }
  return { ...known, wasi_snapshot_preview1: wasi };
}

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WASI } from 'node:wasi';

/** What one run of a module left behind. */
export interface WasiRun {
  readonly stdout: Uint8Array;
  readonly stderr: string;
  /** Undefined when it ended with a trap. */
  readonly exitCode: number | undefined;
}

/** Runs a module of the WASI stdin/stdout dialect with Node's own WASI: without limits, so only for modules of one's own. */
export interface WasiHarness {
  /** Calls an exported function, such as `validate` or `_start`, in an instance of its own. Throws when there is none. */
  run(entry: string, input: string | Uint8Array): WasiRun;
}

const FILES = ['stdin', 'stdout', 'stderr'] as const;

export async function createWasiHarness(bytes: Uint8Array<ArrayBuffer>): Promise<WasiHarness> {
  const module = await WebAssembly.compile(bytes);
  return {
    run(entry, input) {
      const folder = mkdtempSync(join(tmpdir(), 'wasi-'));
      const [stdin, stdout, stderr] = FILES.map((name) => join(folder, name)) as [string, string, string];
      try {
        writeFileSync(stdin, input);
        const descriptors = [openSync(stdin, 'r'), openSync(stdout, 'w'), openSync(stderr, 'w')] as const;
        try {
          const exitCode = call(module, entry, descriptors);
          return { stdout: readFileSync(stdout), stderr: readFileSync(stderr, 'utf8'), exitCode };
        } finally {
          for (const descriptor of descriptors) closeSync(descriptor);
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}

function call(
  module: WebAssembly.Module,
  entry: string,
  [stdin, stdout, stderr]: readonly [number, number, number],
): number | undefined {
  const wasi = new WASI({ version: 'preview1', stdin, stdout, stderr, returnOnExit: true });
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport });
  if (typeof instance.exports[entry] !== 'function')
    throw new Error(`the module exports no function \`${entry}\``);
  try {
    return start(wasi, instance, entry);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return undefined;
    throw error;
  }
}

/** WASI starts what is called `_start`: that is where the wanted function goes, after the initialisation of its module. */
function start(wasi: WASI, { exports }: WebAssembly.Instance, entry: string): number {
  const { _initialize: initialize, ...others } = exports;
  const run = exports[entry] as () => void;
  const _start = (): void => {
    if (typeof initialize === 'function') (initialize as () => void)();
    run();
  };
  return wasi.start({ exports: { ...others, _start } });
}

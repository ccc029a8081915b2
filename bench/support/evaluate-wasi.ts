import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { File, OpenFile, WASI, type Fd } from '@bjorn3/browser_wasi_shim';
import { createWasiCall, type WasiCall } from '../../packages/server/src/engines/wasi/wasi-call.ts';
import { isFault } from '../../packages/server/src/kernel/fault.ts';
import { compileModule } from '../../packages/server/src/wasm/compile-module.ts';
import { createSandbox } from '../../packages/server/src/wasm/sandbox.ts';
import { WASI_HOST } from '../../packages/server/src/wasm/wasi/wasi-host.ts';
import { createWasmRuntime } from '../../packages/server/src/wasm/wasm-runtime.ts';

/**
 * Times one module of the WASI dialect:
 *
 *   node evaluate-wasi.ts MODULE ENTRY INPUT fresh|reset|bare
 *
 * `bare` is a WASI in JavaScript around an instance of one's own, without any limit. Prints microseconds of processor time for one
 * evaluation, garbage collection included.
 */

const [file = '', entry = '', text = '', way = ''] = process.argv.slice(2);
const bytes = new Uint8Array(readFileSync(file));
const input = Buffer.from(text);
const WARM_UP_MS = 1500;
const MEASURED_MS = 2500;

type Evaluate = () => Promise<string>;

const clock = { now: () => performance.now(), wall: () => Date.now() };

async function createOurs(isReset: boolean): Promise<Evaluate> {
  const host = {
    clock,
    runtime: createWasmRuntime({ clock }),
    log: { enabled: () => false, log: () => {} },
  };
  const compiled = await compileModule(bytes, WASI_HOST);
  if (isFault(compiled)) throw compiled;
  // As the server does with modules that cannot be reset: no state is kept to go back to.
  const { layout } = compiled;
  const module = isReset ? compiled : { ...compiled, layout: { ...layout, resettable: false } };
  const limits = { memoryBytes: 64 * 1024 ** 2, fuel: 1e11 };
  const open = (): ReturnType<typeof createSandbox<WasiCall>> =>
    createSandbox<WasiCall>(module, { host: WASI_HOST, limits, runtime: host.runtime });
  const kept = isReset ? open() : undefined;
  return async () => {
    const sandbox = kept ?? open();
    const call = createWasiCall(host, { policy: 'bench', input: [input] });
    const run = await sandbox.run(entry, call, clock.now() + 10_000);
    if (isFault(run)) throw run;
    if (kept === undefined) sandbox.close();
    return Buffer.from(call.output.bytes()).toString();
  };
}

async function createBare(): Promise<Evaluate> {
  const module = await WebAssembly.compile(bytes);
  return async () => {
    const stdin = new OpenFile(new File(input));
    const stdout = new OpenFile(new File([]));
    const fds: Fd[] = [stdin, stdout, new OpenFile(new File([]))];
    const wasi = new WASI([], [], fds, { debug: false });
    const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi.wasiImport });
    if (entry === '_start') wasi.start(instance as never);
    else {
      wasi.initialize(instance as never);
      (instance.exports[entry] as () => void)();
    }
    return Buffer.from(stdout.file.data).toString();
  };
}

const evaluate = way === 'bare' ? await createBare() : await createOurs(way === 'reset');

async function repeat(ms: number): Promise<number> {
  const end = performance.now() + ms;
  let count = 0;
  for (; performance.now() < end; count++) {
    await evaluate();
    // As between requests: what is put off until the answer is out has its turn.
    await new Promise((resolve) => void setImmediate(resolve));
  }
  return count;
}

const answer = await evaluate();
await repeat(WARM_UP_MS);
const before = process.cpuUsage();
const count = await repeat(MEASURED_MS);
const { user, system } = process.cpuUsage(before);
process.stdout.write(JSON.stringify({ answer, cost: (user + system) / count }));

import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { performance } from 'node:perf_hooks';
import createWabt from 'wabt';
import { isFault } from '../packages/server/src/kernel/fault.ts';
import { instrumentModule } from '../packages/server/src/wasm/instrument/instrument-module.ts';
import { RESERVED } from '../packages/server/src/wasm/instrumented.ts';
import { podReview } from './pod-review.ts';

/**
 * What metering costs: each module runs plain and rewritten in one process, in turns, and the ratio of each turn is one
 * sample. Modules: all under `policies/`, kernels that stress one thing each, and paths given as arguments.
 *
 *   node bench/metering.ts [module.wasm …]
 */
const ROUNDS = 101;
const ROUND_MS = 8;
const SLICE = 1 << 20;

interface Row {
  readonly name: string;
  readonly policy: boolean;
  readonly ratio: number;
  readonly micros: number;
  readonly fuel: number;
  readonly growth: number;
  readonly transformMs: number;
}

type Entry = () => unknown;

/** What `validate` of the policies expects of its host. */
class Host {
  readonly input: Uint8Array = new TextEncoder().encode(pluginInput());
  memory: WebAssembly.Memory | undefined;
  granted = 0;
  output = '';

  imports(module: WebAssembly.Module): WebAssembly.Imports {
    const known: Record<string, (...args: never[]) => unknown> = {
      get_input_len: () => this.input.length,
      read_input: (pointer: number, length: number) => this.#read(pointer, length),
      write_output: (pointer: number, length: number) => this.#write(pointer, length),
      log_message: () => {},
      fd_prestat_get: () => 8,
      clock_time_get: (_clock: number, _precision: bigint, pointer: number) => this.#clock(pointer),
      refill: (deficit: number) => this.#refill(deficit),
    };
    const imports: WebAssembly.Imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      (imports[from] ??= {})[name] = known[name] ?? ((): number => 0);
    }
    return imports;
  }

  #read(pointer: number, length: number): number {
    const count = Math.min(length, this.input.length);
    new Uint8Array(this.memory?.buffer ?? new ArrayBuffer(0), pointer, count).set(
      this.input.subarray(0, count),
    );
    return count;
  }

  #write(pointer: number, length: number): number {
    const bytes = new Uint8Array(this.memory?.buffer ?? new ArrayBuffer(0), pointer, length);
    this.output = Buffer.from(bytes).toString();
    return 0;
  }

  #clock(pointer: number): number {
    new DataView(this.memory?.buffer ?? new ArrayBuffer(0)).setBigUint64(pointer, 1_000_000_000n, true);
    return 0;
  }

  #refill(deficit: number): number {
    const grant = Math.max(SLICE, deficit);
    this.granted += grant;
    return grant;
  }
}

function pluginInput(): string {
  const review: unknown = JSON.parse(podReview().toString());
  const { request } = review as { request: Record<string, unknown> };
  const { operation, object, namespace, name, userInfo } = request;
  return JSON.stringify({ operation, object, namespace, name, userInfo, context: {} });
}

function instantiate(bytes: Uint8Array<ArrayBuffer>, host: Host): WebAssembly.Exports {
  const module = new WebAssembly.Module(bytes);
  const { exports } = new WebAssembly.Instance(module, host.imports(module));
  host.memory = exports['memory'] as WebAssembly.Memory;
  for (const name of [RESERVED.start, '_initialize']) (exports[name] as Entry | undefined)?.();
  return exports;
}

function measure(name: string, bytes: Uint8Array<ArrayBuffer>, policy: boolean): Row | undefined {
  const before = performance.now();
  const result = instrumentModule(bytes);
  const transformMs = performance.now() - before;
  if (isFault(result)) {
    process.stdout.write(`${name}: left out, ${result.message}\n`);
    return undefined;
  }
  const hosts = [new Host(), new Host()] as const;
  const plain = entryOf(instantiate(bytes, hosts[0]));
  const guest = instantiate(result.bytes, hosts[1]);
  const metered = entryOf(guest);
  warmUp(plain);
  warmUp(metered);
  if (hosts[0].output !== hosts[1].output) throw new Error(`${name} answers otherwise when metered`);
  const left = guest[RESERVED.fuel] as WebAssembly.Global<number>;
  const used = (): number => hosts[1].granted - left.value;
  const start = used();
  metered();
  const fuel = used() - start;
  const times = Array.from({ length: ROUNDS }, () => [timeOf(plain), timeOf(metered)] as const);
  return {
    name,
    policy,
    ratio: median(times.map(([one, other]) => other / one)),
    micros: median(times.map(([one]) => one)) * 1000,
    fuel,
    growth: result.bytes.length / bytes.length,
    transformMs,
  };
}

function entryOf(exports: WebAssembly.Exports): Entry {
  return (exports['validate'] ?? exports['run']) as Entry;
}

/** Long enough for V8 to compile the hot functions with its optimising compiler. */
function warmUp(entry: Entry): void {
  const end = performance.now() + 600;
  while (performance.now() < end) entry();
}

/** Milliseconds of one call. */
function timeOf(entry: Entry): number {
  const start = performance.now();
  let calls = 0;
  let now = start;
  for (; now - start < ROUND_MS; now = performance.now()) {
    for (let batch = 0; batch < 4; batch++) entry();
    calls += 4;
  }
  return (now - start) / calls;
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

/** Kernels, each in the shape that a compiler gives it. */
const KERNELS: Readonly<Record<string, string>> = {
  'kernel: recursion': `(module (func $fib (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func (export "run") (result i32) (call $fib (i32.const 18))))`,
  'kernel: byte loop': `(module (memory 1) (func (export "run") (result i32) (local $i i32) (local $h i32)
    (loop $l (local.set $h (i32.add (i32.mul (local.get $h) (i32.const 31)) (i32.load8_u (local.get $i))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20000))))
    (local.get $h)))`,
  'kernel: sieve': `(module (memory 1) (func (export "run") (result i32) (local $i i32) (local $j i32) (local $n i32)
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 20000)) (local.set $i (i32.const 2))
    (loop $outer
      (if (i32.eqz (i32.load8_u (local.get $i))) (then
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (local.set $j (i32.mul (local.get $i) (i32.const 2)))
        (block $out (loop $inner
          (br_if $out (i32.ge_u (local.get $j) (i32.const 20000)))
          (i32.store8 (local.get $j) (i32.const 1))
          (local.set $j (i32.add (local.get $j) (local.get $i))) (br $inner)))))
      (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20000))))
    (local.get $n)))`,
  'kernel: leaf calls': `(module (memory 1)
    (func $peek (param i32) (result i32) (i32.load8_u (local.get 0)))
    (func $class (param i32) (result i32) (if (result i32) (i32.lt_u (local.get 0) (i32.const 33)) (then (i32.const 1)) (else (i32.const 2))))
    (func (export "run") (result i32) (local $i i32) (local $h i32)
    (loop $l (local.set $h (i32.add (local.get $h) (call $class (call $peek (local.get $i)))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10000))))
    (local.get $h)))`,
};

async function modules(): Promise<
  readonly { name: string; bytes: Uint8Array<ArrayBuffer>; policy: boolean }[]
> {
  const root = fileURLToPath(new URL('../policies/', import.meta.url));
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.wasm') && !path.includes('node_modules') && !path.includes('target/'))
    .map((path) => ({
      name: relative(root, join(root, path)),
      bytes: bytesOf(join(root, path)),
      policy: true,
    }))
    .filter(({ bytes }) => isPlugin(bytes));
  const wabt = await createWabt();
  const kernels = Object.entries(KERNELS).map(([name, text]) => ({
    name,
    bytes: new Uint8Array(wabt.parseWat(name, text, { bulk_memory: true }).toBinary({}).buffer),
    policy: false,
  }));
  const given = process.argv.slice(2).map((path) => ({ name: path, bytes: bytesOf(path), policy: false }));
  return [...found, ...kernels, ...given];
}

/** Modules of other dialects want another host than the one here. */
function isPlugin(bytes: Uint8Array<ArrayBuffer>): boolean {
  return WebAssembly.Module.exports(new WebAssembly.Module(bytes)).some(({ name }) => name === 'validate');
}

function bytesOf(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(path));
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

const rows: Row[] = [];
for (const { name, bytes, policy } of await modules()) {
  const row = measure(name, bytes, policy);
  if (row !== undefined) rows.push(row);
}
process.stdout.write(
  '| module | metered ÷ plain | plain, µs | fuel | fuel per ns | code growth | transform, ms |\n|---|---|---|---|---|---|---|\n',
);
for (const { name, ratio, micros, fuel, growth, transformMs } of rows) {
  const cells = [
    name,
    ratio.toFixed(2),
    micros.toFixed(1),
    fuel,
    (fuel / micros / 1000).toFixed(2),
    `${growth.toFixed(2)}x`,
    transformMs.toFixed(1),
  ];
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}
const policies = rows.filter(({ policy }) => policy);
if (policies.length === 0) process.stdout.write('\nno policies under policies/ yet\n');
else
  process.stdout.write(
    `\ngeometric mean over policies: ${geometricMean(policies.map(({ ratio }) => ratio)).toFixed(2)}\n`,
  );

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConsoleStdout, File, OpenFile, WASI, type Fd } from '@bjorn3/browser_wasi_shim';
import * as fc from 'fast-check';
import { isFault } from '../../src/kernel/fault.ts';
import type { LogLevel } from '../../src/kernel/ports.ts';
import { createSandbox } from '../../src/wasm/sandbox.ts';
import { CollectedOutput, createWasiContext, type WasiContext } from '../../src/wasm/wasi/wasi-context.ts';
import { WASI_HOST } from '../../src/wasm/wasi/wasi-host.ts';
import { wat } from '../wasm-instrument/support/wat.ts';
import { LIMITS, clock, compiled, createRuntime, outcome, soon } from './support/fixtures.ts';

const SILENT = { enabled: () => false, log: () => {} };
const runtime = createRuntime();

interface Told {
  readonly result: string | number | undefined;
  readonly stdout: string;
}

/** Runs `run` of a module with our WASI. */
async function runOurs(
  bytes: Uint8Array,
  options: Partial<Parameters<typeof createWasiContext>[0]> = {},
): Promise<Told> {
  const module = await compiled(bytes, WASI_HOST);
  const stdout = new CollectedOutput(100_000);
  const context = createWasiContext({ clock, log: SILENT, policy: 'test', stdout, ...options });
  const sandbox = createSandbox<WasiContext>(module, { host: WASI_HOST, limits: LIMITS, runtime });
  const run = await sandbox.run('run', context, soon());
  return { result: outcome(run), stdout: Buffer.from(stdout.bytes()).toString('latin1') };
}

/** Runs it with the shim that browsers use. */
function runShim(bytes: Uint8Array<ArrayBuffer>, stdin: Uint8Array): Told {
  const written: Uint8Array[] = [];
  const output = (): Fd => new ConsoleStdout((data) => void written.push(data.slice()));
  const wasi = new WASI([], [], [new OpenFile(new File(stdin)), output(), new ConsoleStdout(() => {})]);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    wasi_snapshot_preview1: wasi.wasiImport,
  });
  wasi.initialize({ exports: instance.exports } as never);
  const result = (instance.exports['run'] as () => number)();
  return { result, stdout: Buffer.concat(written).toString('latin1') };
}

/** Functions of the shim that leave parameters out which they do not use. */
const SHORT = ['poll_oneoff', 'sock_accept', 'sock_recv', 'sock_send'];

test('all functions of preview 1 are there, with as many parameters as elsewhere', () => {
  const { wasiImport } = new WASI([], [], []);
  const ours = WASI_HOST.wasi_snapshot_preview1 as Readonly<
    Record<string, { type: { params: readonly string[] } }>
  >;
  const theirs = Object.entries(wasiImport)
    .filter(([name]) => !SHORT.includes(name))
    .map(([name, run]) => [name, (run as () => void).length]);
  const counts = theirs.map(([name]) => [name, ours[name as string]?.type.params.length]);
  assert.deepEqual(counts, theirs);
  assert.equal(Object.keys(ours).length, 46);
});

/** Calls one function; names follow the parameters of its import. */
function calling(name: string, params: string, args: string): Uint8Array<ArrayBuffer> {
  return wat(`(module (import "wasi_snapshot_preview1" "${name}" (func $f ${params} (result i32))) (memory (export "memory") 1)
    (func (export "run") (result i32) (call $f ${args})))`);
}

const I4 = '(param i32 i32 i32 i32)';
const ERRORS: readonly (readonly [name: string, params: string, args: string])[] = [
  ['fd_prestat_get', '(param i32 i32)', '(i32.const 3) (i32.const 0)'],
  ['fd_prestat_dir_name', '(param i32 i32 i32)', '(i32.const 3) (i32.const 0) (i32.const 8)'],
  ['fd_close', '(param i32)', '(i32.const 9)'],
  ['fd_write', I4, '(i32.const 9) (i32.const 0) (i32.const 1) (i32.const 8)'],
  ['fd_read', I4, '(i32.const 9) (i32.const 0) (i32.const 1) (i32.const 8)'],
  ['fd_seek', '(param i32 i64 i32 i32)', '(i32.const 9) (i64.const 0) (i32.const 0) (i32.const 8)'],
  ['fd_fdstat_get', '(param i32 i32)', '(i32.const 9) (i32.const 0)'],
  ['fd_filestat_get', '(param i32 i32)', '(i32.const 9) (i32.const 0)'],
  [
    'fd_readdir',
    '(param i32 i32 i32 i64 i32)',
    '(i32.const 3) (i32.const 0) (i32.const 8) (i64.const 0) (i32.const 8)',
  ],
  ['path_unlink_file', '(param i32 i32 i32)', '(i32.const 3) (i32.const 0) (i32.const 1)'],
  ['path_create_directory', '(param i32 i32 i32)', '(i32.const 3) (i32.const 0) (i32.const 1)'],
  ['sched_yield', '', ''],
  ['args_get', '(param i32 i32)', '(i32.const 0) (i32.const 8)'],
  ['environ_get', '(param i32 i32)', '(i32.const 0) (i32.const 8)'],
  ['args_sizes_get', '(param i32 i32)', '(i32.const 0) (i32.const 8)'],
  ['environ_sizes_get', '(param i32 i32)', '(i32.const 0) (i32.const 8)'],
  ['random_get', '(param i32 i32)', '(i32.const 0) (i32.const 32)'],
  ['clock_time_get', '(param i32 i64 i32)', '(i32.const 0) (i64.const 0) (i32.const 8)'],
  ['clock_time_get', '(param i32 i64 i32)', '(i32.const 1) (i64.const 0) (i32.const 8)'],
];

for (const [name, params, args] of ERRORS) {
  test(`${name} ${args} answers as the shim does`, async () => {
    const bytes = calling(name, params, args);
    assert.equal((await runOurs(bytes)).result, runShim(bytes, new Uint8Array(0)).result);
  });
}

/** Copies standard input to standard output through two buffers of the given sizes; returns the last error number. */
const echo = (first: number, second: number): Uint8Array<ArrayBuffer> =>
  wat(`(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read ${I4} (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write ${I4} (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (result i32) (local $errno i32) (local $n i32)
      (loop $more
        (i32.store (i32.const 0) (i32.const 1000)) (i32.store (i32.const 4) (i32.const ${first}))
        (i32.store (i32.const 8) (i32.const 5000)) (i32.store (i32.const 12) (i32.const ${second}))
        (local.set $errno (call $read (i32.const 0) (i32.const 0) (i32.const 2) (i32.const 16)))
        (if (local.get $errno) (then (return (local.get $errno))))
        (local.set $n (i32.load (i32.const 16)))
        (if (i32.gt_u (local.get $n) (i32.const ${first}))
          (then (i32.store (i32.const 12) (i32.sub (local.get $n) (i32.const ${first}))))
          (else (i32.store (i32.const 4) (local.get $n)) (i32.store (i32.const 12) (i32.const 0))))
        (local.set $errno (call $write (i32.const 1) (i32.const 0) (i32.const 2) (i32.const 16)))
        (if (i32.ne (i32.load (i32.const 16)) (local.get $n)) (then (return (i32.const -1))))
        (br_if $more (i32.and (i32.ne (local.get $n) (i32.const 0)) (i32.eqz (local.get $errno)))))
      (local.get $errno)))`);

test('a guest reads pieces of standard input as one stream, and writes what the shim writes', async () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 0, max: 900 }));
  const pieces = fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(sizes, pieces, async ([first, second], stdin) => {
      const bytes = echo(first, second);
      const all = Buffer.concat(stdin);
      const ours = await runOurs(bytes, { stdin });
      assert.deepEqual(ours, { result: 0, stdout: all.toString('latin1') });
      assert.deepEqual(ours, runShim(bytes, all));
    }),
    { numRuns: 40, seed: 11 },
  );
});

test('standard output beyond its cap is an error for the guest, and nothing of that write is kept', async () => {
  const stdout = new CollectedOutput(10);
  const told = await runOurs(echo(8, 0), { stdin: [Buffer.from('0123456789abcdef')], stdout });
  assert.equal(told.result, 22);
  assert.equal(Buffer.from(stdout.bytes()).toString(), '01234567');
});

test('standard error goes to the debug log within its bounds, and nowhere when that is off', async () => {
  const text = `(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 100) "a line\\0a")
    (func (export "run") (result i32)
      (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 7))
      (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.store (i32.const 4) (i32.const 60000))
      (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
      (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
      (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.load (i32.const 8))))`;
  for (const on of [true, false]) {
    const lines: (readonly [LogLevel, string, unknown])[] = [];
    const log = {
      enabled: (): boolean => on,
      log: (level: LogLevel, message: string, fields?: unknown): void =>
        void lines.push([level, message, fields]),
    };
    assert.equal((await runOurs(wat(text), { log })).result, 60_000);
    if (!on) assert.deepEqual(lines, []);
    else {
      assert.deepEqual(lines[0], ['debug', 'a line', { target: 'stderr', policy: 'test' }]);
      assert.ok(lines.reduce((sum, [, message]) => sum + message.length, 0) <= 64 * 1024);
    }
  }
});

test('clocks are those of the host', async () => {
  const text = `(module (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (result i64)
      (drop (call $time (i32.const 0) (i64.const 0) (i32.const 0))) (drop (call $time (i32.const 1) (i64.const 0) (i32.const 8)))
      (i64.add (i64.load (i32.const 0)) (i64.load (i32.const 8)))))`;
  const fixed = { now: () => 12.5, wall: () => 1_700_000_000_000 };
  const told = await runOurs(wat(text), { clock: fixed });
  assert.equal(told.result, Number(1_700_000_000_000n * 1_000_000n + 12_500_000n));
});

test('random bytes are random, and from where the context says', async () => {
  const bytes =
    wat(`(module (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (result i32) (drop (call $random (i32.const 0) (i32.const 4))) (i32.load (i32.const 0))))`);
  const results = await Promise.all(Array.from({ length: 4 }, async () => (await runOurs(bytes)).result));
  assert.ok(new Set(results).size > 1);
  const fixed = await runOurs(bytes, { random: (target) => void target.fill(1) });
  assert.equal(fixed.result, 0x01010101);
});

for (const [code, expected] of [
  [0, undefined],
  [7, 'PC_WASM_EXIT'],
] as const) {
  test(`proc_exit with ${code} ends the run`, async () => {
    const bytes = wat(`(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (func (export "run") (result i32) (call $exit (i32.const ${code})) (i32.const 1)))`);
    assert.equal((await runOurs(bytes)).result, expected);
  });
}

/** Two clocks: relative 40 ms and 5 ms; returns the number of events and the user data of the first. */
const POLL = `(module (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (result i32)
    (i64.store (i32.const 0) (i64.const 11)) (i32.store (i32.const 16) (i32.const 1)) (i64.store (i32.const 24) (i64.const 40000000))
    (i64.store (i32.const 48) (i64.const 12)) (i32.store (i32.const 64) (i32.const 1)) (i64.store (i32.const 72) (i64.const 5000000))
    (if (call $poll (i32.const 0) (i32.const 200) (i32.const 2) (i32.const 100)) (then (return (i32.const -1))))
    (i32.add (i32.mul (i32.load (i32.const 100)) (i32.const 100)) (i32.load (i32.const 200)))))`;

test('poll_oneoff waits for the first clock and tells which', async () => {
  const before = clock.now();
  assert.equal((await runOurs(wat(POLL))).result, 112);
  assert.ok(clock.now() - before >= 4.9);
});

test('poll_oneoff beyond the deadline is a timeout', async () => {
  const text = POLL.replaceAll('000000)', '000000000)');
  const module = await compiled(wat(text), WASI_HOST);
  const sandbox = createSandbox<WasiContext>(module, { host: WASI_HOST, limits: LIMITS, runtime });
  const context = createWasiContext({ clock, log: SILENT, policy: 'test' });
  const run = await sandbox.run('run', context, soon(15));
  assert.ok(isFault(run));
  assert.equal(run.code, 'PC_WASM_TIMEOUT');
});

test('lists of buffers and of subscriptions have a bound', async () => {
  for (const name of ['fd_read', 'fd_write', 'poll_oneoff']) {
    const fd = name === 'fd_read' ? 0 : 1;
    const args = (count: number): string =>
      name === 'poll_oneoff'
        ? `(i32.const 0) (i32.const 0) (i32.const ${count}) (i32.const 0)`
        : `(i32.const ${fd}) (i32.const 0) (i32.const ${count}) (i32.const 0)`;
    for (const count of [1025, -1]) {
      assert.equal((await runOurs(calling(name, I4, args(count)))).result, 28, `${name} ${count}`);
    }
  }
});

const FAULT = 21;
const OUTSIDE: readonly (readonly [name: string, params: string, args: string])[] = [
  ['args_sizes_get', '(param i32 i32)', '(i32.const 0) (i32.const 65533)'],
  ['environ_sizes_get', '(param i32 i32)', '(i32.const -1) (i32.const 0)'],
  ['fd_fdstat_get', '(param i32 i32)', '(i32.const 1) (i32.const 65530)'],
  ['fd_filestat_get', '(param i32 i32)', '(i32.const 1) (i32.const 65530)'],
  ['random_get', '(param i32 i32)', '(i32.const 65533) (i32.const 9)'],
  ['fd_read', I4, '(i32.const 0) (i32.const 65533) (i32.const 1) (i32.const 0)'],
  ['fd_write', I4, '(i32.const 1) (i32.const 0) (i32.const 0) (i32.const -4)'],
  ['poll_oneoff', I4, '(i32.const 65500) (i32.const 0) (i32.const 1) (i32.const 0)'],
];

for (const [name, params, args] of OUTSIDE) {
  test(`${name} ${args} is an error, not a trap`, async () => {
    assert.equal((await runOurs(calling(name, params, args))).result, FAULT);
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWasiHarness } from '@portcullis/sdk';
import * as fc from 'fast-check';
import { createWasiCall, type WasiCall } from '../../../src/engines/wasi/wasi-call.ts';
import { useWasiInstances } from '../../../src/engines/wasi/wasi-instances.ts';
import { isFault } from '../../../src/kernel/fault.ts';
import { compileModule } from '../../../src/wasm/compile-module.ts';
import { createSandbox } from '../../../src/wasm/sandbox.ts';
import { WASI_HOST } from '../../../src/wasm/wasi/wasi-host.ts';
import { clock, createTestHost } from '../../support/test-host.ts';
import { wat } from '../../wasm-instrument/support/wat.ts';
import { guest, say } from './support/guest.ts';

/** The same module and the same standard input, under Node's own WASI: the same output, errors and exit. */

interface Told {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number | 'trap';
}

async function runOurs(bytes: Uint8Array, entry: string, input: Uint8Array): Promise<Told> {
  const host = createTestHost();
  const module = await compileModule(bytes, WASI_HOST);
  assert.ok(!isFault(module), isFault(module) ? module.message : '');
  const limits = { memoryBytes: 16 * 1024 ** 2, fuel: 1e9 };
  const stock = useWasiInstances(module, { timeoutMs: 1000, ...limits }, host).shared.stock;
  const sandbox = createSandbox<WasiCall>(module, { host: WASI_HOST, limits, runtime: host.runtime, stock });
  const call = createWasiCall(host, { policy: 'tested', input: [input] });
  const run = await sandbox.run(entry, call, clock.now() + 60_000);
  sandbox.close();
  const stdout = Buffer.from(call.output.bytes()).toString('latin1');
  return { stdout, stderr: call.diagnosis.text(), exit: isFault(run) ? exitOf(run) : 0 };
}

function exitOf({ code, data }: { readonly code: string; readonly data: object }): number | 'trap' {
  return code === 'PC_WASM_EXIT' && 'exitCode' in data ? Number(data.exitCode) : 'trap';
}

async function runNode(bytes: Uint8Array<ArrayBuffer>, entry: string, input: Uint8Array): Promise<Told> {
  const { stdout, stderr, exitCode } = (await createWasiHarness(bytes)).run(entry, input);
  const exit = exitCode ?? 'trap';
  return { stdout: Buffer.from(stdout).toString('latin1'), stderr: stderr.trimEnd(), exit };
}

async function compare(bytes: Uint8Array<ArrayBuffer>, entry: string, input: Uint8Array): Promise<Told> {
  const [ours, theirs] = [await runOurs(bytes, entry, input), await runNode(bytes, entry, input)];
  assert.deepEqual(ours, theirs);
  return ours;
}

const TEXTS = ['one', 'two', 'a problem\n'];
const GUESTS: readonly (readonly [name: string, body: string, exit: Told['exit']])[] = [
  ['writes nothing', '', 0],
  ['writes twice and complains', say(TEXTS, 0) + say(TEXTS, 1) + say(TEXTS, 2, 2), 0],
  ['exits with 0', `${say(TEXTS, 0)} (call $exit (i32.const 0)) unreachable`, 0],
  ['exits with 3', `${say(TEXTS, 0)} (call $exit (i32.const 3))`, 3],
  ['traps', `${say(TEXTS, 0)} ${say(TEXTS, 2, 2)} unreachable`, 'trap'],
  ['writes to what is no stream', say(TEXTS, 0, 9) + say(TEXTS, 1), 0],
  ['writes to standard input', say(TEXTS, 0, 7) + say(TEXTS, 1), 0],
];

for (const [name, body, exit] of GUESTS) {
  test(`a guest that ${name}`, async () => {
    for (const entry of ['validate', '_start']) {
      const told = await compare(guest([entry], body, TEXTS), entry, Buffer.from('{}'));
      assert.equal(told.exit, exit);
    }
  });
}

/** Copies standard input to standard output through a buffer of this size, and ends at the end of the input. */
const echo = (size: number): Uint8Array<ArrayBuffer> =>
  guest(
    ['_start'],
    `(local $n i32)
     (loop $more
       (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const ${size}))
       (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 1))))
       (local.set $n (i32.load (i32.const 8)))
       (i32.store (i32.const 4) (local.get $n))
       (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 2))))
       (br_if $more (local.get $n)))`,
  );

test('any input comes through whole, whatever the size of the buffers', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 3000 }),
      fc.integer({ min: 1, max: 4000 }),
      async (input, size) => {
        const { stdout, exit } = await compare(echo(size), '_start', input);
        assert.equal(exit, 0);
        assert.equal(stdout, Buffer.from(input).toString('latin1'));
      },
    ),
    { numRuns: 25, seed: 4 },
  );
});

test('a module is initialised before its function is called, once', async () => {
  const bytes = wat(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 100) "0123456789")
    (global $count (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $count (i32.add (global.get $count) (i32.const 3))))
    (func (export "validate")
      (i32.store (i32.const 0) (i32.add (i32.const 100) (global.get $count))) (i32.store (i32.const 4) (i32.const 1))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`);
  assert.equal((await compare(bytes, 'validate', Buffer.from(''))).stdout, '3');
});

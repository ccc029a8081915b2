import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isFault, type FaultCode } from '../../src/kernel/fault.ts';
import { compileModule } from '../../src/wasm/compile-module.ts';
import { hostFunction, type HostInterface } from '../../src/wasm/host-interface.ts';
import { createSandbox } from '../../src/wasm/sandbox.ts';
import { WASI_HOST } from '../../src/wasm/wasi/wasi-host.ts';
import { createWasiContext, type WasiContext } from '../../src/wasm/wasi/wasi-context.ts';
import { assemble } from '../wasm-instrument/support/assemble.ts';
import { generateModule } from '../wasm-instrument/support/generate-module.ts';
import { Random } from '../wasm-instrument/support/random.ts';
import { wat } from '../wasm-instrument/support/wat.ts';
import {
  LIMITS,
  MEMORY,
  clock,
  compiled,
  createRuntime,
  sandboxOf,
  soon,
  sound,
} from './support/fixtures.ts';

/** A guest can do nothing but use up its own budget: it ends in a fault, and its neighbours answer meanwhile. */

const unhandled: unknown[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));
after(() => assert.deepEqual(unhandled, []));

type Context = WasiContext;

const HOST: HostInterface<Context> = {
  ...WASI_HOST,
  env: {
    get_input_len: hostFunction([], ['i32'], () => 0x7fffffff),
    read: hostFunction(['i32', 'i32'], ['i32'], ({ memory }, pointer, length) => {
      const target = memory.view(pointer, length);
      return target === undefined ? -1 : target.length;
    }),
    write: hostFunction(['i32', 'i32'], ['i32'], ({ memory }, pointer, length) =>
      memory.view(pointer, length)?.slice() === undefined ? -1 : 0,
    ),
    soon: { type: { params: [], results: ['i32'] }, callAsync: () => Promise.resolve(0) },
    twice: hostFunction(['i32'], ['i32'], (_call, value) => value * 2),
    nothing: hostFunction([], [], () => {}),
    never: { type: { params: [], results: ['i32'] }, callAsync: () => new Promise(() => {}) },
  },
};

const IMPORTS = `(import "env" "get_input_len" (func $len (result i32)))
  (import "env" "read" (func $read (param i32 i32) (result i32)))
  (import "env" "write" (func $write (param i32 i32) (result i32)))
  (import "env" "soon" (func $soon (result i32)))
  (import "env" "never" (func $never (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))`;

/** A module with these imports and a memory, whose entry `run` does this. */
const doing = (body: string, rest = ''): Uint8Array =>
  wat(`(module ${IMPORTS} (memory 1) (tag $e) ${rest} (func $run (export "run") ${body}))`);

const forever = (body: string): string => `(loop ${body} (br 0))`;
const storm = (call: string): Uint8Array => doing(forever(`(drop ${call})`));

const GUESTS: readonly (readonly [name: string, code: FaultCode, module: Uint8Array])[] = [
  ['an endless loop', 'PC_WASM_FUEL', doing(forever(''))],
  [
    'an endless loop that catches every exception',
    'PC_WASM_FUEL',
    doing(forever('(try (do (loop (br 0))) (catch_all))')),
  ],
  [
    'an endless loop that throws and catches',
    'PC_WASM_FUEL',
    doing(forever('(try (do (throw $e)) (catch_all))')),
  ],
  // loop { block { try_table (catch_all 0) { throw 0 } } br 0 }
  [
    'an endless loop of try_table',
    'PC_WASM_FUEL',
    assemble([0x03, 0x40, 0x02, 0x40, 0x1f, 0x40, 1, 2, 0, 0x08, 0, 0x0b, 0x0b, 0x0c, 0, 0x0b]),
  ],
  // loop { block { try_table (catch_all 0) { loop { br 0 } } } br 0 }
  [
    'an endless loop inside a try_table',
    'PC_WASM_FUEL',
    assemble([
      0x03, 0x40, 0x02, 0x40, 0x1f, 0x40, 1, 2, 0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b, 0x0b, 0x0c, 0, 0x0b,
    ]),
  ],
  ['endless recursion', 'PC_WASM_STACK', doing('(call $run)')],
  [
    'endless recursion with host calls on the way',
    'PC_WASM_STACK',
    doing('(drop (call $len)) (call $run) (drop (call $len))'),
  ],
  [
    'endless recursion with waits on the way',
    'PC_WASM_FUEL',
    doing('(drop (call $soon)) (call $run) (drop (call $len))'),
  ],
  [
    'endless recursion that catches everything',
    'PC_WASM_STACK',
    doing('(try (do (call $run)) (catch_all)) (call $run)'),
  ],
  ['endless tail calls', 'PC_WASM_FUEL', doing('(return_call $run)')],
  ['a memory bomb', 'PC_WASM_FUEL', doing(forever('(drop (memory.grow (i32.const 1)))'))],
  ['a memory bomb of large steps', 'PC_WASM_FUEL', doing(forever('(drop (memory.grow (i32.const 65535)))'))],
  [
    'a guest that traps when it gets no more memory',
    'PC_WASM_MEMORY',
    doing('(loop (br_if 0 (i32.ne (memory.grow (i32.const 9)) (i32.const -1)))) unreachable'),
  ],
  [
    'a table bomb',
    'PC_WASM_FUEL',
    doing(forever('(drop (table.grow (ref.null func) (i32.const 1000)))'), '(table 1 funcref)'),
  ],
  [
    'a loop of fills',
    'PC_WASM_FUEL',
    doing(forever('(memory.fill (i32.const 0) (i32.const 1) (i32.const 65536))')),
  ],
  ['a write outside of memory', 'PC_WASM_TRAP', doing('(i32.store (i32.const -4) (i32.const 1))')],
  ['a division by zero', 'PC_WASM_TRAP', doing('(drop (i32.div_s (i32.const 1) (i32.const 0)))')],
  [
    'a call of nothing through a table',
    'PC_WASM_TRAP',
    doing('(call_indirect (i32.const 0))', '(table 1 funcref)'),
  ],
  ['an exception that nobody catches', 'PC_WASM_TRAP', doing('(throw $e)')],
  ['an exit with a code', 'PC_WASM_EXIT', doing('(call $exit (i32.const 1))')],
  [
    'an exit in a loop that catches',
    'PC_WASM_EXIT',
    doing(forever('(try (do (call $exit (i32.const 1))) (catch_all))')),
  ],
  ['a storm of host calls', 'PC_WASM_FUEL', storm('(call $len)')],
  ['a storm of reads of all memory', 'PC_WASM_FUEL', storm('(call $read (i32.const 0) (i32.const 65536))')],
  ['a storm of huge outputs', 'PC_WASM_FUEL', storm('(call $write (i32.const 0) (i32.const 65536))')],
  [
    'a storm of outputs beyond memory',
    'PC_WASM_FUEL',
    storm('(call $write (i32.const 0) (i32.const 0x7fffffff))'),
  ],
  ['a storm of negative lengths', 'PC_WASM_FUEL', storm('(call $write (i32.const 0) (i32.const -1))')],
  ['a storm of negative pointers', 'PC_WASM_FUEL', storm('(call $read (i32.const -8) (i32.const 4))')],
  ['a storm of clocks', 'PC_WASM_FUEL', storm('(call $time (i32.const 1) (i64.const 0) (i32.const 0))')],
  ['a storm of random bytes', 'PC_WASM_FUEL', storm('(call $random (i32.const 0) (i32.const 65536))')],
  [
    'a storm of writes with the longest list',
    'PC_WASM_FUEL',
    storm('(call $fd_write (i32.const 1) (i32.const 0) (i32.const 1024) (i32.const 65532))'),
  ],
  [
    'a storm of writes with impossible lists',
    'PC_WASM_FUEL',
    storm('(call $fd_write (i32.const 1) (i32.const -64) (i32.const -1) (i32.const -1))'),
  ],
  ['a storm of waits that are over at once', 'PC_WASM_FUEL', storm('(call $soon)')],
  ['a wait without end', 'PC_WASM_TIMEOUT', doing('(drop (call $never))')],
  [
    'a long sleep',
    'PC_WASM_TIMEOUT',
    // Subscription at 0: clock 1, timeout 2^40 ns.
    doing(`(i32.store8 (i32.const 16) (i32.const 1)) (i64.store (i32.const 24) (i64.const 1099511627776))
      (drop (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)))`),
  ],
  [
    'polls of impossible lists',
    'PC_WASM_FUEL',
    storm('(call $poll (i32.const -1) (i32.const 0) (i32.const 64) (i32.const 0))'),
  ],
  ['a start function that loops', 'PC_WASM_FUEL', doing('(nop)', '(func $s (loop (br 0))) (start $s)')],
  ['a start function that recurses', 'PC_WASM_START', doing('(nop)', '(func $s (call $s)) (start $s)')],
  [
    'a start function that exits',
    'PC_WASM_START',
    doing('(nop)', '(func $s (call $exit (i32.const 9))) (start $s)'),
  ],
  [
    'a start function that waits',
    'PC_WASM_TIMEOUT',
    doing('(nop)', '(func $s (drop (call $never))) (start $s)'),
  ],
];

const runtime = createRuntime();
const context = (): Context =>
  createWasiContext({ clock, log: { enabled: () => false, log: () => {} }, policy: 'hostile' });

/** What `guests` gives, and how often a decent guest answered meanwhile. */
async function besides<R>(guests: Promise<R>): Promise<{ readonly result: R; readonly answers: number }> {
  const decent = await sandboxOf('(module (func (export "run") (result i32) (i32.const 5)))', { runtime });
  const state = { isOver: false };
  const work = guests.finally(() => {
    state.isOver = true;
  });
  let answers = 0;
  while (!state.isOver) {
    assert.equal(sound(await decent.run('run', undefined, soon())).result, 5);
    answers++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { result: await work, answers };
}

for (const [name, code, bytes] of GUESTS) {
  test(`${name}: ${code}`, async () => {
    const module = await compiled(bytes, HOST);
    const sandbox = createSandbox<Context>(module, {
      host: HOST,
      limits: LIMITS,
      runtime,
      initialise: { exports: [], context },
    });
    // Only those that wait are to end at their deadline.
    const deadline = soon(code === 'PC_WASM_TIMEOUT' ? 30 : 60_000);
    for (let turn = 0; turn < 2; turn++) {
      const { result: fault, answers } = await besides(sandbox.run('run', context(), deadline));
      assert.ok(isFault(fault));
      assert.equal(fault.code, code, fault.message);
      assert.ok(answers > 0);
      const { fuel, memoryBytes } = fault.data as { fuel: number; memoryBytes: number };
      assert.ok(memoryBytes <= MEMORY, `memory ${memoryBytes}`);
      if (code === 'PC_WASM_FUEL') assert.ok(fuel > LIMITS.fuel, `fuel ${fuel}`);
    }
  });
}

test('a hundred endless guests at once end at their deadline, and another one answers meanwhile', async () => {
  const endless = await compiled('(module (func (export "run") (loop (br 0))))', {});
  const limits = { ...LIMITS, fuel: Number.MAX_SAFE_INTEGER };
  const deadline = soon(200);
  const guests = Array.from({ length: 100 }, () =>
    createSandbox(endless, { host: {}, limits, runtime }).run('run', undefined, deadline),
  );
  const { result, answers } = await besides(Promise.all(guests));
  for (const fault of result) {
    assert.ok(isFault(fault));
    assert.equal(fault.code, 'PC_WASM_TIMEOUT');
  }
  assert.ok(answers > 5);
});

test('a table cannot grow beyond its limit, nor memory beyond its own', async () => {
  const text = `(module (memory 1) (table 1 funcref)
    (func (export "table") (result i32) (loop (br_if 0 (i32.ne (table.grow (ref.null func) (i32.const 999)) (i32.const -1)))) (table.size))
    (func (export "memory") (result i32) (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (memory.size)))`;
  const sandbox = await sandboxOf(text);
  assert.equal(sound(await sandbox.run('table', undefined, soon())).result, 1 + 999 * 100);
  assert.equal(sound(await sandbox.run('memory', undefined, soon())).result, MEMORY / 65_536);
});

/** Modules whose mutants are tried: loops, calls through tables, exceptions, bulk operations, growth. */
const SEEDS: readonly (readonly [entry: string, bytes: Uint8Array])[] = Array.from(
  { length: 12 },
  (_, seed) => {
    const { text, functions } = generateModule(seed + 1, seed % 2 === 0);
    const entry = functions.find(({ params }) => !params.includes('i64'))?.name ?? 'f0';
    return [entry, wat(text)];
  },
);

const MUTANTS = 800;

test(`${MUTANTS} mutants of modules are refused, or run within their budget`, async () => {
  const random = new Random(20261121);
  const tally = { refused: 0, ran: 0, faulted: 0 };
  const limits = { ...LIMITS, fuel: 2_000_000 };
  for (let mutant = 0; mutant < MUTANTS; mutant++) {
    const [entry, seed] = SEEDS[random.below(SEEDS.length)] as (typeof SEEDS)[number];
    const bytes = seed.slice();
    // Half of the changes are small, so that more mutants are valid modules that do something else.
    for (let change = random.below(3); change >= 0; change--) {
      const at = 8 + random.below(bytes.length - 8);
      bytes[at] = random.chance(50) ? random.below(256) : (bytes[at] as number) ^ (1 << random.below(3));
    }
    const cut = random.chance(10) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
    const module = await compileModule(cut, HOST);
    if (isFault(module)) {
      assert.match(module.code, /^PC_MODULE_/);
      tally.refused++;
      continue;
    }
    const sandbox = createSandbox<Context>(module, {
      host: HOST,
      limits,
      runtime,
      initialise: { exports: [], context },
    });
    const run = await sandbox.run(entry, context(), soon(100), [3, 5]);
    if (isFault(run)) {
      assert.match(run.code, /^PC_(WASM|MODULE)_/, `${run.message} ${String(run.cause)}`);
      tally.faulted++;
    } else tally.ran++;
    sandbox.close();
  }
  // All three ways were taken.
  assert.ok(tally.refused > 100 && tally.ran > 20 && tally.faulted > 5, JSON.stringify(tally));
});

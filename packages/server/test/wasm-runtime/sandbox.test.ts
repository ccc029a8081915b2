import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import { hostFunction, type HostInterface } from '../../src/wasm/host-interface.ts';
import { GuestStock } from '../../src/wasm/guest-stock.ts';
import { checkLimits, createSandbox, type Sandbox } from '../../src/wasm/sandbox.ts';
import { createWasmRuntime } from '../../src/wasm/wasm-runtime.ts';
import {
  LIMITS,
  clock,
  compiled,
  createRuntime,
  outcome,
  sandboxOf,
  soon,
  sound,
} from './support/fixtures.ts';
import { later } from './support/later.ts';

const COUNTER = `(module (memory (export "memory") 1 9) (global $g (mut i32) (i32.const 5))
  (table $t 4 funcref) (elem (i32.const 0) $one)
  (data (i32.const 8) "abcd")
  (func $one (result i32) (i32.const 1))
  (func (export "add") (param i32) (result i32)
    (global.set $g (i32.add (global.get $g) (local.get 0)))
    (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (local.get 0)))
    (table.set $t (i32.const 0) (ref.null func))
    (drop (memory.grow (i32.const 2)))
    (i32.store (i32.const 131072) (i32.const 9))
    (global.get $g))
  (func (export "global") (result i32) (global.get $g))
  (func (export "data") (result i32) (i32.load (i32.const 8)))
  (func (export "size") (result i32) (memory.size))
  (func (export "grown") (result i32) (drop (memory.grow (i32.const 2))) (i32.load (i32.const 131072)))
  (func (export "table") (result i32) (ref.is_null (table.get $t (i32.const 0))))
  (func (export "late-trap") (drop (memory.grow (i32.const 2))) (global.set $g (i32.const 77)) (i32.store (i32.const 8) (i32.const 1)) unreachable))`;

test('no run sees anything of an earlier one: globals, data, grown memory, tables', async () => {
  const sandbox = await sandboxOf(COUNTER);
  const look = async (): Promise<unknown[]> => {
    const seen: unknown[] = [];
    for (const entry of ['global', 'data', 'size', 'grown', 'table']) {
      seen.push(outcome(await sandbox.run(entry, undefined, soon())));
    }
    return seen;
  };
  const first = [5, 0x64636261, 1, 0, 0];
  assert.deepEqual(await look(), first);
  for (const spoil of ['add', 'late-trap', 'add']) {
    await sandbox.run(spoil, undefined, soon(), spoil === 'add' ? [3] : []);
    assert.deepEqual(await look(), first);
  }
  assert.equal(sandbox.idle, 1);
});

test('what a run writes where an earlier one had grown its memory is gone too', async () => {
  const text = `(module (memory 1)
    (func (export "grow") (result i32) (memory.grow (i32.const 2)))
    (func (export "write") (i32.store (i32.const 140000) (i32.const 7)))
    (func (export "read") (result i32) (drop (memory.grow (i32.const 2))) (i32.load (i32.const 140000))))`;
  const sandbox = await sandboxOf(text);
  for (const entry of ['grow', 'write', 'write']) await sandbox.run(entry, undefined, soon());
  assert.equal(outcome(await sandbox.run('read', undefined, soon())), 0);
});

test('what lies between the data of a module is cleared as well', async () => {
  const text = `(module (memory 2) (data (i32.const 20000) "abcd") (data (i32.const 90000) "efgh")
    (func (export "write") (param i32) (i32.store (local.get 0) (i32.const 7)))
    (func (export "read") (param i32) (result i32) (i32.load (local.get 0))))`;
  const sandbox = await sandboxOf(text);
  for (const [at, value] of [
    [0, 0],
    [4096, 0],
    [20_000, 0x64636261],
    [50_000, 0],
    [90_000, 0x68676665],
    [131_068, 0],
  ] as const) {
    await sandbox.run('write', undefined, soon(), [at]);
    assert.equal(outcome(await sandbox.run('read', undefined, soon(), [at])), value, `at ${at}`);
  }
});

test('memory that was refused to one run does not explain the trap of another', async () => {
  const text = `(module (memory 1) (func (export "grow") (drop (memory.grow (i32.const 60000))) unreachable)
    (func (export "trap") unreachable))`;
  const sandbox = await sandboxOf(text);
  const codes: unknown[] = [];
  for (const entry of ['trap', 'grow', 'trap'])
    codes.push(outcome(await sandbox.run(entry, undefined, soon())));
  assert.deepEqual(codes, ['PC_WASM_TRAP', 'PC_WASM_MEMORY', 'PC_WASM_TRAP']);
});

test('arguments reach the entry, and the run tells fuel and memory', async () => {
  const sandbox = await sandboxOf(COUNTER);
  const run = sound(await sandbox.run('add', undefined, soon(), [37]));
  assert.equal(run.result, 42);
  assert.equal(run.memoryBytes, 3 * 65_536);
  const again = sound(await sandbox.run('add', undefined, soon(), [37]));
  assert.deepEqual(again, run);
});

test('what exists is called; what does not is a fault', async () => {
  const sandbox = await sandboxOf(COUNTER);
  const fault = await sandbox.run('nothing', undefined, soon());
  assert.ok(isFault(fault));
  assert.equal(fault.code, 'PC_MODULE_EXPORT');
  assert.equal(outcome(await sandbox.run('memory', undefined, soon())), 'PC_MODULE_EXPORT');
  assert.equal(outcome(await sandbox.run('global', undefined, soon())), 5);
});

test('runs at the same time do not meet', async () => {
  const sandbox = await sandboxOf(COUNTER);
  const runs = Array.from({ length: 40 }, (_, index) => sandbox.run('add', undefined, soon(), [index]));
  const results = (await Promise.all(runs)).map(outcome);
  assert.deepEqual(
    results,
    Array.from({ length: 40 }, (_, index) => index + 5),
  );
});

test('entries of other types than expected are faults or have no result; the instance is used again', async () => {
  const sandbox = await sandboxOf(`(module
    (func (export "long") (param i64) (result i64) (local.get 0))
    (func (export "vector") (param v128))
    (func (export "two") (result i32 i32) (i32.const 1) (i32.const 2))
    (func (export "reference") (result externref) (ref.null extern))
    (func (export "i64") (result i64) (i64.const -3)))`);
  const outcomes: unknown[] = [];
  for (const entry of ['long', 'vector', 'two', 'reference', 'i64']) {
    outcomes.push(outcome(await sandbox.run(entry, undefined, soon(), [1])));
  }
  assert.deepEqual(outcomes, ['PC_MODULE_EXPORT', 'PC_MODULE_EXPORT', undefined, undefined, -3]);
  assert.equal(sandbox.idle, 1);
});

const LONG = `(module (func (export "long") (param i32) (result i32)
  (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0)))`;

test('fuel is the same however often a guest is suspended', async () => {
  const module = await compiled(LONG, {});
  let time = 0;
  const runtimes = [
    createWasmRuntime({ clock, sliceMs: 1e9 }),
    createWasmRuntime({ clock, sliceMs: 0 }),
    // Each look at this clock finds that much time has passed: grants shrink and every one ends a slice.
    createWasmRuntime({ clock: { now: () => (time += 1000), wall: () => 0 }, sliceMs: 1 }),
  ];
  const runs = await Promise.all(
    runtimes.map(async (runtime) => {
      const sandbox = createSandbox(module, { host: {}, limits: LIMITS, runtime });
      const runsOfOne = [];
      for (const count of [1, 1000, 1_000_000, 1000]) {
        runsOfOne.push(sound(await sandbox.run('long', undefined, Infinity, [count])));
      }
      return runsOfOne;
    }),
  );
  assert.deepEqual(runs[1], runs[0]);
  assert.deepEqual(runs[2], runs[0]);
  assert.deepEqual(runs[0]?.[1], runs[0]?.[3]);
});

test('exactly the fuel that a run needs is enough, and one unit less is not', async () => {
  const module = await compiled(LONG, {});
  const runtime = createRuntime();
  const sandboxWith = (fuel: number): ReturnType<typeof createSandbox<undefined>> =>
    createSandbox<undefined>(module, { host: {}, limits: { ...LIMITS, fuel }, runtime });
  for (const count of [1, 10, 300_000]) {
    const { fuel } = sound(await sandboxWith(LIMITS.fuel).run('long', undefined, soon(), [count]));
    assert.deepEqual(sound(await sandboxWith(fuel).run('long', undefined, soon(), [count])).fuel, fuel);
    assert.equal(
      outcome(await sandboxWith(fuel - 1).run('long', undefined, soon(), [count])),
      'PC_WASM_FUEL',
    );
  }
});

test('a module that drops segments gets a fresh instance for each run', async () => {
  const text = `(module (memory 1) (data $d "abcd") (func (export "init") (result i32)
    (memory.init $d (i32.const 0) (i32.const 0) (i32.const 4)) (data.drop $d) (i32.load (i32.const 0))))`;
  const sandbox = await sandboxOf(text);
  for (let turn = 0; turn < 3; turn++) {
    assert.equal(outcome(await sandbox.run('init', undefined, soon())), 0x64636261);
    assert.equal(sandbox.idle, 0);
  }
});

test('start, initialisers and warm-up run once for each instance, before its state is kept', async () => {
  const calls: string[] = [];
  interface Context {
    readonly name: string;
  }
  const host: HostInterface<Context> = {
    env: {
      note: hostFunction(['i32'], [], (call, value) => void calls.push(`${call.context.name} ${value}`)),
    },
  };
  const text = `(module (import "env" "note" (func $note (param i32))) (global $g (mut i32) (i32.const 0))
    (func $start (call $note (i32.const 1)) (global.set $g (i32.const 10)))
    (start $start)
    (func (export "_initialize") (call $note (i32.const 2)) (global.set $g (i32.add (global.get $g) (i32.const 100))))
    (func (export "run") (result i32) (call $note (i32.const 3)) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))`;
  const sandbox = await sandboxOf<Context>(text, {
    host,
    initialise: {
      exports: ['_initialize', 'not-there'],
      context: () => ({ name: 'set-up' }),
      warmUp: { entry: 'run', context: () => ({ name: 'warm-up' }) },
    },
  });
  assert.equal(await sandbox.prepare(soon()), undefined);
  assert.equal(sandbox.idle, 1);
  assert.deepEqual(calls.splice(0), ['set-up 1', 'set-up 2', 'warm-up 3']);
  assert.equal(outcome(await sandbox.run('run', { name: 'user' }, soon())), 112);
  assert.equal(outcome(await sandbox.run('run', { name: 'user' }, soon())), 112);
  assert.deepEqual(calls, ['user 3', 'user 3']);
});

const STARTS: readonly (readonly [name: string, code: string, text: string])[] = [
  ['traps', 'PC_WASM_START', '(module (func $s unreachable) (start $s) (func (export "run")))'],
  ['never ends', 'PC_WASM_FUEL', '(module (func $s (loop (br 0))) (start $s) (func (export "run")))'],
  ['recurses', 'PC_WASM_START', '(module (func $s (call $s)) (start $s) (func (export "run")))'],
  [
    'has data outside',
    'PC_WASM_START',
    '(module (memory 1) (data (i32.const 65535) "ab") (func (export "run")))',
  ],
];

for (const [name, code, text] of STARTS) {
  test(`a module whose start ${name}: ${code}, from prepare and from run`, async () => {
    const sandbox = await sandboxOf(text);
    assert.equal((await sandbox.prepare(soon()))?.code, code);
    const fault = await sandbox.run('run', undefined, soon());
    assert.ok(isFault(fault));
    assert.equal(fault.code, code);
    assert.equal(typeof fault.data['fuel'], 'number');
    assert.equal(sandbox.idle, 0);
  });
}

test('what starts with more than the limits is refused', async () => {
  const module = await compiled('(module (memory 3) (table 50 funcref) (func (export "run")))', {});
  assert.equal(checkLimits(module, LIMITS), undefined);
  const tight = [
    { memoryBytes: 3 * 65_536 - 1, fuel: 1000 },
    { memoryBytes: 3 * 65_536, fuel: 1000, tableElements: 49 },
  ];
  for (const limits of tight) {
    assert.equal(checkLimits(module, limits)?.code, 'PC_MODULE_MEMORY');
    const sandbox = createSandbox(module, { host: {}, limits, runtime: createRuntime() });
    assert.equal(outcome(await sandbox.run('run', undefined, soon())), 'PC_MODULE_MEMORY');
    assert.equal((await sandbox.prepare(soon()))?.code, 'PC_MODULE_MEMORY');
  }
});

test('the elements of all tables count together', async () => {
  const module = await compiled(`(module ${'(table 50001 funcref) '.repeat(2)})`, {});
  assert.equal(
    checkLimits(module, LIMITS)?.message,
    'the module starts with 100002 elements in its tables; the limit is 100000',
  );
});

interface Gate {
  readonly wait: Promise<number>;
}

const WAITING: HostInterface<Gate> = {
  env: { wait: { type: { params: [], results: ['i32'] }, callAsync: (call) => call.context.wait } },
};
const WAITS =
  '(module (import "env" "wait" (func $w (result i32))) (func (export "run") (result i32) (call $w)))';

test('when all instances are busy, runs wait in order', async () => {
  const sandbox = await sandboxOf<Gate>(WAITS, { host: WAITING, maxInstances: 2 });
  const gates = Array.from({ length: 6 }, () => later<number>());
  const ended: number[] = [];
  const runs = gates.map(async (gate, index) => {
    const run = await sandbox.run('run', { wait: gate.promise }, soon());
    ended.push(index);
    return outcome(run);
  });
  // All but the first two would be through at once if they had an instance.
  for (const index of [5, 4, 3, 2]) gates[index]?.resolve(index);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(ended, []);
  gates[1]?.resolve(1);
  gates[0]?.resolve(0);
  assert.deepEqual(await Promise.all(runs), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(ended, [1, 0, 2, 3, 4, 5]);
  assert.ok(sandbox.idle <= 2);
});

test('a newcomer does not overtake who waits, not even when an instance is just free', async () => {
  const sandbox = await sandboxOf<Gate>(WAITS, { host: WAITING, maxInstances: 1 });
  const gate = later<number>();
  const ended: string[] = [];
  const run = async (name: string): Promise<void> => {
    await sandbox.run('run', { wait: gate.promise }, soon());
    ended.push(name);
  };
  const first = run('first').then(() => run('newcomer'));
  const second = run('second');
  gate.resolve(1);
  await Promise.all([first, second]);
  assert.deepEqual(ended, ['first', 'second', 'newcomer']);
});

test('who waits for an instance longer than it has time gets a timeout', async () => {
  const sandbox = await sandboxOf<Gate>(WAITS, { host: WAITING, maxInstances: 1 });
  const gate = later<number>();
  const first = sandbox.run('run', { wait: gate.promise }, soon());
  const second = await sandbox.run('run', { wait: gate.promise }, soon(20));
  assert.equal(outcome(second), 'PC_WASM_TIMEOUT');
  gate.resolve(7);
  assert.equal(outcome(await first), 7);
  assert.equal(outcome(await sandbox.run('run', { wait: gate.promise }, soon())), 7);
});

/** A stock that tells how many instances it has made. */
async function counted<T>(
  body: string,
  host: HostInterface<T>,
): Promise<{ readonly sandbox: () => Sandbox<T>; readonly made: () => number }> {
  const module = await compiled(`(module ${body} (func (export "begin")))`, host);
  const runtime = createWasmRuntime({ clock, sliceMs: 0 });
  const limits = { ...LIMITS, fuel: Number.MAX_SAFE_INTEGER };
  let made = 0;
  const context = (): T => {
    made++;
    return undefined as T;
  };
  const stock = new GuestStock<T>(module, {
    host,
    limits,
    runtime,
    initialise: { exports: ['begin'], context },
  });
  return { sandbox: () => createSandbox(module, { host, limits, runtime, stock }), made: () => made };
}

const SLOW = `(func (export "slow") (param i32) (result i32)
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.const 7))
  (func (export "loop") (loop (br 0)))`;

test('a crowd hands a few instances on instead of making one each', async () => {
  const { sandbox, made } = await counted<undefined>(SLOW, {});
  // Of two sandboxes, and all suspended several times.
  const runs = [sandbox(), sandbox()].flatMap((one) =>
    Array.from({ length: 40 }, () => one.run('slow', undefined, soon(), [100_000])),
  );
  assert.deepEqual(new Set((await Promise.all(runs)).map(outcome)), new Set([7]));
  assert.ok(made() <= 8, `${made()} instances`);
});

test('one that does not come back is not waited for', async () => {
  const { sandbox, made } = await counted<undefined>(SLOW, {});
  const endless = sandbox().run('loop', undefined, soon(400));
  assert.equal(outcome(await sandbox().run('slow', undefined, soon(400), [1])), 7);
  assert.equal(made(), 2);
  assert.equal(outcome(await endless), 'PC_WASM_TIMEOUT');
});

test('a burst of runs that do not come back holds up others for a moment only', async () => {
  const { sandbox } = await counted<undefined>(SLOW, {});
  const [stuck, other] = [sandbox(), sandbox()];
  await stuck.prepare(soon());
  const over: string[] = [];
  const endless = Array.from({ length: 60 }, async () => {
    over.push(String(outcome(await stuck.run('loop', undefined, soon(1000)))));
  });
  // Of another sandbox on the same instances, and behind all of them in the line.
  over.push(String(outcome(await other.run('slow', undefined, soon(1000), [1]))));
  await Promise.all(endless);
  assert.equal(over[0], '7');
  assert.deepEqual(new Set(over.slice(1)), new Set(['PC_WASM_TIMEOUT']));
});

test('one that waits for the host is not waited for', async () => {
  const { sandbox, made } = await counted<Gate>(WAITS.slice('(module '.length, -1), WAITING);
  const gate = later<number>();
  const one = sandbox();
  const runs = Array.from({ length: 12 }, () => one.run('run', { wait: gate.promise }, soon()));
  while (made() < 12) await new Promise(setImmediate);
  gate.resolve(1);
  assert.deepEqual(new Set((await Promise.all(runs)).map(outcome)), new Set([1]));
});

test('after a burst only some instances are kept', async () => {
  const sandbox = await sandboxOf<Gate>(WAITS, { host: WAITING });
  const gate = later<number>();
  const runs = Array.from({ length: 30 }, () => sandbox.run('run', { wait: gate.promise }, soon()));
  // Until each has an instance of its own.
  for (let turns = 0; turns < 100; turns++) await new Promise(setImmediate);
  gate.resolve(1);
  await Promise.all(runs);
  assert.equal(sandbox.idle, 8);
});

test('a closed sandbox lets runs end and keeps nothing', async () => {
  const sandbox = await sandboxOf<Gate>(WAITS, { host: WAITING });
  const gate = later<number>();
  await sandbox.prepare(soon());
  const run = sandbox.run('run', { wait: gate.promise }, soon());
  sandbox.close();
  gate.resolve(3);
  assert.equal(outcome(await run), 3);
  assert.equal(sandbox.idle, 0);
  assert.equal(outcome(await sandbox.run('run', { wait: gate.promise }, soon())), 3);
  assert.equal(sandbox.idle, 0);
});

test('a deadline that has passed is a timeout, and costs no instance', async () => {
  const sandbox = await sandboxOf(COUNTER);
  await sandbox.prepare(soon());
  assert.equal(outcome(await sandbox.run('global', undefined, clock.now() - 1)), 'PC_WASM_TIMEOUT');
  assert.equal(sandbox.idle, 1);
});

test('an instance that once grew far is let go when later runs need little', async () => {
  const text = `(module (memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`;
  const sandbox = await sandboxOf(text);
  assert.equal(outcome(await sandbox.run('grow', undefined, soon(), [200])), 1);
  let least = 1;
  for (let turn = 0; turn < 40; turn++) {
    assert.equal(outcome(await sandbox.run('grow', undefined, soon(), [1])), 1);
    least = Math.min(least, sandbox.idle);
  }
  assert.equal(least, 0);
  assert.equal(sandbox.idle, 1);
});

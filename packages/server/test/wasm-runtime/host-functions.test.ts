import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault, type Fault } from '../../src/kernel/fault.ts';
import { compileModule } from '../../src/wasm/compile-module.ts';
import { hostFunction, type HostCall, type HostInterface } from '../../src/wasm/host-interface.ts';
import { wat } from '../wasm-instrument/support/wat.ts';
import { LIMITS, clock, createRuntime, outcome, sandboxOf, soon, sound } from './support/fixtures.ts';
import { later } from './support/later.ts';

type Call = HostCall<undefined>;

/** A module with one import of the given type, and one entry that calls it with what it is given. */
function caller(type: string, params: string, args: string): string {
  return `(module (import "env" "f" (func $f ${type})) (memory (export "memory") 2)
    (func (export "run") ${params} (call $f ${args})))`;
}

test('imports are checked by name and type before anything is compiled', async () => {
  const allowed: HostInterface = { env: { f: hostFunction(['i32'], ['i32'], () => 0) } };
  const refused = async (text: string): Promise<string> => {
    const result = await compileModule(wat(text), allowed);
    assert.ok(isFault(result));
    assert.equal(result.code, 'PC_MODULE_IMPORT');
    return result.message;
  };
  assert.equal(
    await refused('(module (import "env" "g" (func)))'),
    'the module imports `env.g`, which is not offered',
  );
  assert.equal(
    await refused('(module (import "env" "f" (func (param i64))))'),
    'the module imports `env.f` as (i64) -> (); it is offered as (i32) -> (i32)',
  );
  for (const name of ['__proto__', 'constructor', 'toString']) {
    await refused(`(module (import "env" "${name}" (func)))`);
    await refused(`(module (import "${name}" "f" (func)))`);
  }
  sound(await compileModule(wat('(module (import "env" "f" (func (param i32) (result i32))))'), allowed));
});

test('bytes that are not a module are refused', async () => {
  for (const bytes of [new Uint8Array(0), Buffer.from('{"a":1}'), wat('(module)').subarray(0, 6)]) {
    const result = await compileModule(bytes, {});
    assert.ok(isFault(result));
    assert.equal(result.code, 'PC_MODULE_MALFORMED');
  }
});

test('a host function gets numbers and bigints after its type, and answers a number', async () => {
  const seen: unknown[] = [];
  const host: HostInterface<undefined> = {
    env: {
      f: hostFunction(['i32', 'i64', 'f64'], ['i32'], (_call, ...args) => {
        seen.push(...args);
        return -5;
      }),
    },
  };
  const text = caller(
    '(param i32 i64 f64) (result i32)',
    '(result i32)',
    '(i32.const -1) (i64.const 9007199254740993) (f64.const 0.5)',
  );
  const sandbox = await sandboxOf(text, { host });
  assert.equal(outcome(await sandbox.run('run', undefined, soon())), -5);
  assert.deepEqual(seen, [-1, 9007199254740993n, 0.5]);
});

/** What `view` and `write` say of a range. */
async function probe(pointer: number, length: number): Promise<readonly [view: boolean, write: boolean]> {
  let answer: readonly [boolean, boolean] = [false, false];
  const host: HostInterface<undefined> = {
    env: {
      f: hostFunction(['i32', 'i32'], [], ({ memory }, at, count) => {
        const bytes = new Uint8Array(Math.min(Math.max(count, 0), 1 << 20));
        answer = [memory.view(at, count) !== undefined, memory.write(at, bytes)];
      }),
    },
  };
  const text = caller('(param i32 i32)', '(param i32 i32)', '(local.get 0) (local.get 1)');
  const sandbox = await sandboxOf(text, { host });
  sound(await sandbox.run('run', undefined, soon(), [pointer, length]));
  return answer;
}

test('memory is seen only inside, whatever pointer and length claim', async () => {
  const end = 2 * 65_536;
  assert.deepEqual(await probe(0, 0), [true, true]);
  assert.deepEqual(await probe(0, end), [true, true]);
  assert.deepEqual(await probe(end, 0), [true, true]);
  assert.deepEqual(await probe(end - 1, 1), [true, true]);
  for (const [pointer, length] of [
    [end, 1],
    [1, end],
    [end + 1, 0],
    [-1, 1],
    [-1, 2],
    [0, 0x7fffffff],
    [0x7fffffff, 0x7fffffff],
  ] as const) {
    assert.deepEqual(await probe(pointer, length), [false, false], `${pointer}, ${length}`);
  }
  assert.equal((await probe(0, -1))[0], false);
  assert.equal((await probe(0, -0x80000000))[0], false);
});

test('pages that a reset took from the guest are not seen', async () => {
  const sizes: number[] = [];
  const host: HostInterface<undefined> = {
    env: {
      f: hostFunction([], [], ({ memory }) => {
        sizes.push(memory.size, memory.view(3 * 65_536 - 1, 1)?.length ?? -1);
      }),
    },
  };
  const text = `(module (import "env" "f" (func $f)) (memory 1)
    (func (export "run") (call $f) (drop (memory.grow (i32.const 2))) (call $f)))`;
  const sandbox = await sandboxOf(text, { host });
  for (let turn = 0; turn < 2; turn++) sound(await sandbox.run('run', undefined, soon()));
  const once = [65_536, -1, 3 * 65_536, 1];
  assert.deepEqual(sizes, [...once, ...once]);
});

test('a module without memory has none to be seen', async () => {
  const host: HostInterface<undefined> = {
    env: {
      f: hostFunction([], ['i32'], ({ memory }) => (memory.view(0, 1) === undefined ? memory.size : 99)),
    },
  };
  const text =
    '(module (import "env" "f" (func $f (result i32))) (func (export "run") (result i32) (call $f)))';
  assert.equal(outcome(await (await sandboxOf(text, { host })).run('run', undefined, soon())), 0);
});

test('host work pays: bytes by themselves, the rest as asked, and beyond the fuel it is refused', async () => {
  const host: HostInterface<undefined> = {
    env: {
      f: hostFunction(['i32', 'i32'], [], ({ memory }, length) => {
        memory.view(0, length);
      }),
      pay: hostFunction(['i32'], [], (call: Call, fuel) => call.pay(fuel >>> 0)),
    },
  };
  const text = `(module (import "env" "f" (func $f (param i32 i32))) (import "env" "pay" (func $pay (param i32))) (memory 2)
    (func (export "view") (param i32) (call $f (local.get 0) (i32.const 0)))
    (func (export "pay") (param i32) (call $pay (local.get 0))))`;
  const sandbox = await sandboxOf(text, { host });
  const fuel = async (entry: string, arg: number): Promise<number> =>
    sound(await sandbox.run(entry, undefined, soon(), [arg])).fuel;
  assert.equal((await fuel('view', 65_536)) - (await fuel('view', 0)), 16_384);
  assert.equal((await fuel('pay', 12_345)) - (await fuel('pay', 0)), 12_345);
  const most = LIMITS.fuel - (await fuel('pay', 0));
  assert.equal(await fuel('pay', most), LIMITS.fuel);
  for (const tooMuch of [most + 1, 0x7fffffff, -1]) {
    const fault = await sandbox.run('pay', undefined, soon(), [tooMuch]);
    assert.ok(isFault(fault));
    assert.equal(fault.code, 'PC_WASM_FUEL');
    assert.ok(
      (fault.data['fuel'] as number) >= LIMITS.fuel + (tooMuch >>> 0) - most,
      String(fault.data['fuel']),
    );
  }
});

test('debts of the host beyond what a counter holds are paid, not forgotten', async () => {
  const host: HostInterface<undefined> = {
    env: { f: hostFunction([], [], (call: Call) => call.pay(0xffff_ffff)) },
  };
  const text = '(module (import "env" "f" (func $f)) (func (export "run") (call $f) (call $f) (call $f)))';
  const sandbox = await sandboxOf(text, { host, limits: { ...LIMITS, fuel: 2 ** 40 } });
  const { fuel } = sound(await sandbox.run('run', undefined, soon()));
  assert.ok(fuel > 3 * 0xffff_ffff && fuel < 3 * 0xffff_ffff + 2000, String(fuel));
});

const CATCHES = `(module (import "env" "f" (func $f (result i32))) (memory 1)
  (func (export "run") (result i32)
    (try (do (drop (call $f))) (catch_all)) (i32.store (i32.const 0) (i32.const 1)) (i32.const 42)))`;

const ENDS: readonly (readonly [name: string, code: string | undefined, run: (call: Call) => number])[] = [
  ['exits with 3', 'PC_WASM_EXIT', (call) => call.exit(3)],
  ['exits with 0', undefined, (call) => call.exit(0)],
  [
    'throws',
    'PC_INTERNAL',
    () => {
      throw new Error('a defect');
    },
  ],
  [
    'throws what is not an error',
    'PC_INTERNAL',
    () => {
      // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error -- foreign code may
      throw 'a defect';
    },
  ],
];

for (const [name, code, run] of ENDS) {
  for (const waits of [false, true]) {
    test(`a guest cannot catch that a host function ${name}${waits ? ' after it waited' : ''}`, async () => {
      const type = { params: [], results: ['i32'] };
      const host: HostInterface<undefined> = {
        env: {
          f: waits
            ? {
                type,
                callAsync: async (call) => {
                  await new Promise((resolve) => setImmediate(resolve));
                  return run(call);
                },
              }
            : { type, call: run },
        },
      };
      const sandbox = await sandboxOf(CATCHES, { host });
      for (let turn = 0; turn < 2; turn++) {
        const result = await sandbox.run('run', undefined, soon());
        if (code === undefined) assert.equal(sound(result).result, undefined);
        else assert.equal((result as Fault).code, code);
      }
      // Nothing waits any more that could write: the instance serves again.
      assert.equal(sandbox.idle, 1);
    });
  }
}

test('a guest that was ended does nothing more, even where it catches everything', async () => {
  const text = `(module (import "env" "f" (func $f (result i32))) (func (export "run") (local $i i32)
    (try (do (drop (call $f))) (catch_all))
    (loop (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10000))))))`;
  const host: HostInterface<undefined> = {
    env: { f: hostFunction([], ['i32'], (call: Call) => call.exit(0)) },
  };
  const { fuel } = sound(await (await sandboxOf(text, { host })).run('run', undefined, soon()));
  assert.ok(fuel < 1000, String(fuel));
});

test('the fault of a failed host function names it, and keeps its error as cause only', async () => {
  const host: HostInterface<undefined> = {
    env: {
      f: hostFunction([], ['i32'], () => {
        throw new Error('secret');
      }),
    },
  };
  const fault = await (await sandboxOf(CATCHES, { host })).run('run', undefined, soon());
  assert.ok(isFault(fault));
  assert.equal(fault.message, 'the host function `env.f` failed');
  assert.equal((fault.cause as Error).message, 'secret');
});

const SLEEPS =
  '(module (import "env" "f" (func $f (result i32))) (func (export "run") (result i32) (call $f)))';

test('a host call that waits suspends its guest, and others run', async () => {
  const gate = later<number>();
  const host: HostInterface<undefined> = {
    env: { f: { type: { params: [], results: ['i32'] }, callAsync: () => gate.promise } },
  };
  const runtime = createRuntime();
  const waiting = (await sandboxOf(SLEEPS, { host, runtime })).run('run', undefined, soon());
  const other = await sandboxOf('(module (func (export "run") (result i32) (i32.const 1)))', { runtime });
  assert.equal(outcome(await other.run('run', undefined, soon())), 1);
  gate.resolve(11);
  assert.equal(outcome(await waiting), 11);
});

test('a host call that waits beyond the deadline is a timeout; its instance is not used again', async () => {
  const gates = [later<number>(), later<number>()];
  const memories: Call[] = [];
  let calls = 0;
  const host: HostInterface<undefined> = {
    env: {
      f: {
        type: { params: [], results: ['i32'] },
        callAsync: (call) => {
          memories.push(call);
          return (gates[calls++] ?? later<number>()).promise;
        },
      },
    },
  };
  const sandbox = await sandboxOf(SLEEPS, { host });
  assert.equal(outcome(await sandbox.run('run', undefined, soon(15))), 'PC_WASM_TIMEOUT');
  assert.equal(sandbox.idle, 0);
  gates[0]?.reject(new Error('late'));
  const second = sandbox.run('run', undefined, soon());
  gates[1]?.resolve(4);
  assert.equal(outcome(await second), 4);
  assert.notEqual(memories[0], memories[1]);
});

test('the deadline is on the axis of the clock', async () => {
  let deadline = 0;
  const host: HostInterface<undefined> = {
    env: {
      f: hostFunction([], ['i32'], (call) => {
        deadline = call.deadline;
        return 0;
      }),
    },
  };
  const until = clock.now() + 5000;
  await (await sandboxOf(SLEEPS, { host })).run('run', undefined, until);
  assert.equal(deadline, until);
});

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { createSandbox } from '../../src/wasm/sandbox.ts';
import { createWasmRuntime, type ParkedGuest, type WasmRuntime } from '../../src/wasm/wasm-runtime.ts';
import { LIMITS, compiled, outcome } from './support/fixtures.ts';

/** A clock that stands still until it is moved. */
class StandingClock {
  ms = 0;
  now = (): number => this.ms;
  wall = (): number => 0;
}

class Parked implements ParkedGuest {
  readonly name: string;
  readonly log: string[];
  deadline = 1000;
  slices = 1;

  constructor(name: string, log: string[]) {
    this.name = name;
    this.log = log;
  }

  resume(): void {
    this.log.push(this.name);
  }

  expire(): void {
    this.log.push(`${this.name} expired`);
  }
}

interface Bench {
  readonly clock: StandingClock;
  readonly runtime: WasmRuntime;
  readonly log: string[];
  readonly park: (name: string, slices: number, deadline?: number) => void;
}

function bench(): Bench {
  const clock = new StandingClock();
  const runtime = createWasmRuntime({ clock, sliceMs: 0.5 });
  const log: string[] = [];
  return {
    clock,
    runtime,
    log,
    park(name, slices, deadline = 1000) {
      const guest = new Parked(name, log);
      guest.slices = slices;
      guest.deadline = deadline;
      runtime.park(guest);
    },
  };
}

test('one guest goes on in each turn: in turns the one that has waited longest and the one with the fewest slices', async () => {
  const { log, park } = bench();
  for (const name of ['old 1', 'old 2', 'old 3', 'old 4']) park(name, 50);
  for (const name of ['young 1', 'young 2']) park(name, 2);
  const order = ['old 1', 'young 1', 'old 2', 'young 2', 'old 3', 'old 4'];
  for (let count = 1; count <= order.length; count++) {
    await turn();
    assert.deepEqual(log, order.slice(0, count));
  }
});

test('guests whose deadline has passed end at once, wherever they stand', async () => {
  const { clock, log, park } = bench();
  for (let index = 0; index < 50; index++) park(`patient ${index}`, 50);
  park('old', 50, 9);
  park('young', 2, 10);
  park('later', 2, 11);
  clock.ms = 10;
  await turn();
  assert.deepEqual(log.slice(0, 2).sort(), ['old expired', 'young expired']);
  assert.equal(log.length, 3);
  clock.ms = 11;
  await turn();
  assert.equal(log[3], 'later expired');
});

test('chores are done before a guest goes on, each once', async () => {
  const { log, park, runtime } = bench();
  park('guest', 1);
  runtime.defer({ tidy: () => void log.push('chore') });
  await turn();
  await turn();
  assert.deepEqual(log, ['chore', 'guest']);
});

test('a guest is due when its slice is over, or when all together have had enough of the turn', async () => {
  const { park, runtime } = bench();
  assert.equal(runtime.isDue(0.2, 0.2), false);
  assert.equal(runtime.isDue(0.5, 0.3), true);
  // Others, in the same turn.
  assert.equal(runtime.isDue(0.4, 0.4), false);
  assert.equal(runtime.isDue(0.1, 0.1), true);
  park('guest', 1);
  await turn();
  assert.equal(runtime.isDue(0.4, 0.4), false);
});

const LOOP = '(module (func (export "loop") (loop (br 0))) (func (export "one") (result i32) (i32.const 1)))';

test('a parked guest ends in the turn after its deadline, and its fault tells what it used', async () => {
  const module = await compiled(LOOP, {});
  const clock = new StandingClock();
  const runtime = createWasmRuntime({ clock, sliceMs: 0 });
  const limits = { ...LIMITS, fuel: Number.MAX_SAFE_INTEGER };
  const runs = Array.from({ length: 20 }, (_, index) =>
    createSandbox(module, { host: {}, limits, runtime }).run('loop', undefined, 10 + (index % 2)),
  );
  const ended: (string | number | undefined)[] = [];
  for (const run of runs) void run.then((fault) => ended.push(outcome(fault)));
  for (let index = 0; index < 60; index++) await turn();
  assert.deepEqual(ended, []);
  clock.ms = 10;
  await turn();
  await turn();
  assert.equal(ended.length, 10);
  clock.ms = 11;
  await Promise.all(runs);
  assert.deepEqual(new Set(ended), new Set(['PC_WASM_TIMEOUT']));
});

test('starts are made one after the other, and who waits for them waits for all', async () => {
  const runtime = createWasmRuntime({ clock: new StandingClock() });
  const seen: string[] = [];
  for (const name of ['first', 'second']) {
    runtime.start(async () => {
      seen.push(`${name} begins`);
      await turn();
      seen.push(`${name} ends`);
    });
  }
  await runtime.started();
  assert.deepEqual(seen, ['first begins', 'first ends', 'second begins', 'second ends']);
});

test('an evaluation that needs one slice is over before any endless guest has its next', async () => {
  const module = await compiled(LOOP, {});
  const clock = new StandingClock();
  const runtime = createWasmRuntime({ clock, sliceMs: 0 });
  const limits = { ...LIMITS, fuel: Number.MAX_SAFE_INTEGER };
  const open = (): ReturnType<typeof createSandbox<undefined>> =>
    createSandbox<undefined>(module, { host: {}, limits, runtime });
  const endless = Array.from({ length: 100 }, () => open().run('loop', undefined, 10));
  const decent = open();
  await decent.prepare(1000);
  let turns = 0;
  const counting = { isOver: false };
  const count = (): void => {
    turns++;
    if (!counting.isOver) setImmediate(count);
  };
  setImmediate(count);
  const before = turns;
  assert.equal(outcome(await decent.run('one', undefined, 1000)), 1);
  assert.equal(turns, before);
  counting.isOver = true;
  clock.ms = 10;
  await Promise.all(endless);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { JsonObject } from '@portcullis/contract';
import type { EngineHost, Evaluator } from '../../../src/engines/engine.ts';
import { kubewardenEngine } from '../../../src/engines/kubewarden/kubewarden-engine.ts';
import { isFault } from '../../../src/kernel/fault.ts';
import { createIdleRoom } from '../../../src/wasm/idle-room.ts';
import { makePolicy } from '../../support/make-policy.ts';
import { makeReview } from '../../support/make-review.ts';
import { clock, createTestHost } from '../../support/test-host.ts';
import { PAGES, program, respond, wapc } from './support/guest-wat.ts';

const ALLOW = '{"accepted":true}';
const DENY = '{"accepted":false,"message":"seen"}';
const BYTES = PAGES * 65_536;

/** Counts its runs. The first one is one of nobody's, and what that left is what every later one has to find. */
const REMEMBERING = wapc(
  `(if (result i32) (i32.gt_u (i32.load (i32.const 40000)) (i32.const 1))
    (then ${respond(100, DENY.length)} (i32.const 1))
    (else (i32.store (i32.const 40000) (i32.add (i32.load (i32.const 40000)) (i32.const 1)))
      ${respond(0, ALLOW.length)} (i32.const 1)))`,
  { data: Buffer.concat([Buffer.from(ALLOW.padEnd(100)), Buffer.from(DENY)]) },
);

/** A thread that tells how many bytes idle instances take. */
function counted(): EngineHost & { readonly idleBytes: () => number } {
  const host = createTestHost();
  const room = createIdleRoom(1024 ** 3);
  const held = new Map<object, number>();
  const idle = {
    note(holder: Parameters<typeof room.note>[0], bytes: number) {
      held.set(holder, bytes);
      room.note(holder, bytes);
    },
    isFull: false,
  };
  const { runtime: real } = host;
  const runtime: EngineHost['runtime'] = {
    clock: real.clock,
    uncatchable: real.uncatchable,
    isDue: (...given) => real.isDue(...given),
    park: (guest) => real.park(guest),
    defer: (chore) => real.defer(chore),
    start: (make) => real.start(make),
    started: () => real.started(),
    idle,
  };
  return { ...host, runtime, idleBytes: () => held.values().reduce((sum, bytes) => sum + bytes, 0) };
}

async function open(
  bytes: Uint8Array,
  host: EngineHost,
  settings: readonly JsonObject[],
): Promise<Evaluator[]> {
  const module = await kubewardenEngine.compile(bytes);
  assert.ok(!isFault(module));
  return settings.map((given, index) =>
    kubewardenEngine.open(module, makePolicy(`p${index}`, { settings: given }), host),
  );
}

test('policies with the same settings share instances, and none sees anything of another', async () => {
  const host = counted();
  const settings = Array.from({ length: 50 }, (_, index) => ({ kind: index % 2 }));
  const evaluators = await open(REMEMBERING, host, settings);
  // The first of each settings makes an instance when it is opened.
  while (host.idleBytes() < 2 * BYTES) await turn();
  for (let round = 0; round < 2; round += 1) {
    for (const evaluator of evaluators) {
      const { verdict } = await evaluator.evaluate(makeReview(), clock.now() + 60_000);
      assert.equal(verdict.outcome, 'allow');
      await turn();
    }
  }
  assert.equal(host.idleBytes(), 2 * BYTES);
  for (const evaluator of evaluators.slice(2)) evaluator.close();
  await turn();
  assert.equal(host.idleBytes(), 2 * BYTES);
  for (const evaluator of evaluators) evaluator.close();
  assert.equal(host.idleBytes(), 0);
  const late = await evaluators[0]?.evaluate(makeReview(), clock.now() + 60_000);
  assert.equal(late?.verdict.outcome, 'allow', 'who comes late gets an instance of its own');
});

test('programs share instances whatever their settings', async () => {
  const host = counted();
  const bytes = program(`(i32.store (i32.const 40000) (i32.const 1))`);
  const evaluators = await open(bytes, host, [{ a: 1 }, { a: 2 }, {}]);
  while (host.idleBytes() < BYTES) await turn();
  for (const evaluator of evaluators) {
    await evaluator.evaluate(makeReview(), clock.now() + 60_000);
    await turn();
  }
  assert.equal(host.idleBytes(), BYTES);
  for (const evaluator of evaluators) evaluator.close();
  assert.equal(host.idleBytes(), 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Policy } from '@portcullis/contract';
import type { Evaluator } from '../../src/engines/engine.ts';
import { pluginEngine } from '../../src/engines/plugin/plugin-engine.ts';
import { usePluginInstances } from '../../src/engines/plugin/plugin-instances.ts';
import { isFault } from '../../src/kernel/fault.ts';
import type { CompiledModule } from '../../src/wasm/compiled-module.ts';
import { makePolicy } from '../support/make-policy.ts';
import { makeReview } from '../support/make-review.ts';
import { clock, createTestHost } from '../support/test-host.ts';
import { wat } from '../wasm-instrument/support/wat.ts';

/** Denies once its memory or a global holds what an earlier run has left; answers by its return code alone. */
const REMEMBERING = `(module
  (import "env" "read_input" (func $read (param i32 i32) (result i32)))
  (memory (export "memory") 2)
  (global $runs (mut i32) (i32.const 0))
  (func (export "validate") (result i32)
    (drop (call $read (i32.const 70000) (i32.const 1000)))
    (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (i32.ne (i32.add (global.get $runs) (i32.load (i32.const 0))) (i32.const 2))))`;

async function moduleOf(text: string): Promise<CompiledModule> {
  const module = await pluginEngine.compile(wat(text));
  assert.ok(!isFault(module));
  return module;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const ask = (evaluator: Evaluator) => evaluator.evaluate(makeReview(), clock.now() + 60_000);

test('policies of one module share instances, and no run sees anything of another policy', async () => {
  const module = await moduleOf(REMEMBERING);
  const host = createTestHost();
  const policies = Array.from({ length: 50 }, (_, index): Policy => makePolicy(`p-${index}`));
  const evaluators = policies.map((policy) => pluginEngine.open(module, policy, host));
  const { stock, release } = usePluginInstances(module, makePolicy('p').spec.limits, host);
  await nextTurn();
  assert.equal(stock.idle, 1, 'the first instance is there before it is asked');
  for (const evaluator of [...evaluators, ...evaluators]) {
    const { verdict } = await ask(evaluator);
    assert.equal(verdict.outcome, 'allow');
    if (evaluator !== evaluators[3]) await nextTurn();
  }
  await nextTurn();
  assert.equal(stock.idle, 1, 'one after the other they need one');
  const together = await Promise.all(evaluators.map(ask));
  assert.ok(together.every(({ verdict }) => verdict.outcome === 'allow'));
  release();
  for (const evaluator of evaluators.slice(1)) evaluator.close();
  await nextTurn();
  assert.ok(stock.idle > 0, 'one policy has them still');
  evaluators[0]?.close();
  assert.equal(stock.idle, 0);
  const late = await ask(evaluators[0] as Evaluator);
  assert.equal(late.verdict.outcome, 'allow', 'who comes late gets an instance of its own');
  assert.equal(stock.idle, 0);
});

test('policies with other limits, and other threads, have instances of their own', async () => {
  const module = await moduleOf(REMEMBERING);
  const [one, other] = [createTestHost(), createTestHost()];
  const { limits } = makePolicy('p').spec;
  const uses = [
    usePluginInstances(module, limits, one),
    usePluginInstances(module, { ...limits, timeoutMs: 7 }, one),
    usePluginInstances(module, { ...limits, fuel: 7 }, one),
    usePluginInstances(module, { ...limits, memoryBytes: 1 << 20 }, one),
    usePluginInstances(module, limits, other),
  ];
  assert.equal(new Set(uses.map(({ stock }) => stock)).size, 4, 'a timeout is no matter of the instance');
  assert.deepEqual(
    uses.map(({ isFirst }) => isFirst),
    [true, false, true, true, true],
  );
  for (const { release } of uses) release();
});

test('a start that fails is refused each time, one that works is not tried again', async () => {
  const host = createTestHost();
  const broken = await moduleOf(`(module
    (import "env" "read_input" (func (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_initialize") unreachable)
    (func (export "validate") (result i32) (i32.const 0)))`);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const refused = await pluginEngine.admit(broken, makePolicy('p'), host);
    assert.equal(refused?.code, 'PC_WASM_START');
  }
  const module = await moduleOf(REMEMBERING);
  assert.equal(await pluginEngine.admit(module, makePolicy('p'), host), undefined);
  assert.equal(await pluginEngine.admit(module, makePolicy('q'), host), undefined);
  const spec = { limits: { timeoutMs: 1000, memoryBytes: 65_536, fuel: 1000 } };
  assert.equal((await pluginEngine.admit(module, makePolicy('r', spec), host))?.code, 'PC_MODULE_MEMORY');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from '@portcullis/contract';
import { pluginEngine } from '../../src/engines/plugin/plugin-engine.ts';
import { isFault } from '../../src/kernel/fault.ts';
import { makePolicy } from '../support/make-policy.ts';
import { makeReview } from '../support/make-review.ts';
import { clock, createTestHost } from '../support/test-host.ts';
import { wat } from '../wasm-instrument/support/wat.ts';

const DENIAL = '{"allowed":false,"message":"no"}';
const ALLOW = '{"allowed":true}';
const WRITE_DENIAL = `(drop (call $write (i32.const 0) (i32.const ${DENIAL.length})))`;
const WRITE_ALLOW = `(drop (call $write (i32.const 64) (i32.const ${ALLOW.length})))`;
/** One byte more than a plugin may write. */
const WRITE_TOO_MUCH = `(drop (call $write (i32.const 0) (i32.const ${4 * 1024 * 1024 + 1})))`;

/** What a plugin answers whose `validate` does this. */
async function verdictOf(body: string): Promise<Verdict> {
  const quoted = (text: string): string => text.replaceAll('"', '\\22');
  const module = await pluginEngine.compile(
    wat(`(module
      (import "env" "write_output" (func $write (param i32 i32) (result i32)))
      (import "env" "read_input" (func (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 80)
      (data (i32.const 0) "${quoted(DENIAL)}")
      (data (i32.const 64) "${quoted(ALLOW)}")
      (func (export "validate") (result i32) ${body}))`),
  );
  assert.ok(!isFault(module));
  const evaluator = pluginEngine.open(module, makePolicy('tested'), createTestHost());
  const { verdict } = await evaluator.evaluate(makeReview(), clock.now() + 60_000);
  evaluator.close();
  return verdict;
}

const RETURN_0 = '(i32.const 0)';

test('an answer is what was written and the code that was returned', async () => {
  assert.equal((await verdictOf(WRITE_ALLOW + RETURN_0)).outcome, 'allow');
  assert.equal((await verdictOf(WRITE_DENIAL + RETURN_0)).outcome, 'deny');
  assert.equal((await verdictOf(RETURN_0)).outcome, 'allow');
});

test('a plugin that ends itself has not answered, whatever it wrote and whatever its exit code', async () => {
  for (const written of ['', WRITE_ALLOW, WRITE_DENIAL]) {
    for (const code of [0, 1]) {
      const verdict = await verdictOf(`${written} (call $exit (i32.const ${code})) (i32.const 0)`);
      assert.equal(verdict.outcome, 'fault', `${written} ${code}`);
      assert.equal(verdict.outcome === 'fault' && verdict.code, 'PC_WASM_EXIT');
    }
  }
});

test('an output that was refused is not silence: a code of 0 next to it does not allow', async () => {
  for (const written of [WRITE_TOO_MUCH, WRITE_ALLOW + WRITE_TOO_MUCH]) {
    const verdict = await verdictOf(written + RETURN_0);
    assert.equal(verdict.outcome, 'fault');
    assert.equal(verdict.outcome === 'fault' && verdict.code, 'PC_PLUGIN_OUTPUT');
  }
});

test('a refused output with another code is a denial still, and a later output counts', async () => {
  assert.equal((await verdictOf(`${WRITE_TOO_MUCH} (i32.const 2)`)).outcome, 'deny');
  assert.equal((await verdictOf(WRITE_TOO_MUCH + WRITE_ALLOW + RETURN_0)).outcome, 'allow');
  assert.equal((await verdictOf(WRITE_TOO_MUCH + WRITE_DENIAL + RETURN_0)).outcome, 'deny');
});

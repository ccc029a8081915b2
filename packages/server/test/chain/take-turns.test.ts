import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Review } from '@portcullis/contract';
import { takeTurns } from '../../src/chain/take-turns.ts';
import type { Evaluation, Evaluator } from '../../src/engines/engine.ts';
import { makeReview } from '../support/make-review.ts';
import { allow } from '../support/scripted-engine.ts';
import { clock } from '../support/test-host.ts';

const LIMITS = { timeoutMs: 1000, memoryBytes: 65_536, fuel: 1 };
const ALLOWED: Evaluation = { verdict: allow, fuel: 1, memoryBytes: 1 };
const NEVER = Number.MAX_SAFE_INTEGER;

interface Controlled extends Evaluator {
  /** Uids of the reviews that it was asked about, in their order. */
  readonly asked: string[];
  /** Ends an evaluation. */
  end(uid: string, answer?: Evaluation | Error): Promise<void>;
}

function createControlled(): Controlled {
  const asked: string[] = [];
  const open = new Map<string, PromiseWithResolvers<Evaluation>>();
  return {
    asked,
    evaluate({ uid }: Review) {
      asked.push(uid);
      const answer = Promise.withResolvers<Evaluation>();
      open.set(uid, answer);
      return answer.promise;
    },
    async end(uid, answer = ALLOWED) {
      if (answer instanceof Error) open.get(uid)?.reject(answer);
      else open.get(uid)?.resolve(answer);
      await new Promise(setImmediate);
    },
    close: () => undefined,
  };
}

const review = (uid: string): Review => makeReview({}, { uid });

test('without a bound the evaluator is the one that it was', () => {
  const evaluator = createControlled();
  assert.equal(takeTurns(evaluator, LIMITS, clock), evaluator);
});

test('no more than so many are under way; the others follow in their order', async () => {
  const evaluator = createControlled();
  const bounded = takeTurns(evaluator, { ...LIMITS, concurrency: 2 }, clock);
  const answers = ['a', 'b', 'c', 'd'].map((uid) => bounded.evaluate(review(uid), clock.now() + 60_000));
  await new Promise(setImmediate);
  assert.deepEqual(evaluator.asked, ['a', 'b']);
  await evaluator.end('b');
  assert.deepEqual(evaluator.asked, ['a', 'b', 'c']);
  await evaluator.end('c');
  await evaluator.end('a');
  await evaluator.end('d');
  assert.deepEqual(await Promise.all(answers), [ALLOWED, ALLOWED, ALLOWED, ALLOWED]);
  const again = ['e', 'f', 'g'].map((uid) => bounded.evaluate(review(uid), clock.now() + 60_000));
  await new Promise(setImmediate);
  assert.deepEqual(evaluator.asked.slice(4), ['e', 'f']);
  for (const uid of ['e', 'f', 'g']) await evaluator.end(uid);
  assert.equal((await Promise.all(again)).length, 3);
});

test('who waits until the deadline is a fault, is never asked, and takes nobody’s turn', async () => {
  const evaluator = createControlled();
  const bounded = takeTurns(evaluator, { ...LIMITS, concurrency: 1 }, clock);
  const first = bounded.evaluate(review('a'), NEVER);
  const late = await bounded.evaluate(review('b'), clock.now());
  assert.deepEqual(late, {
    verdict: {
      outcome: 'fault',
      code: 'PC_WASM_TIMEOUT',
      message: 'the policy was busy until its deadline; it is asked 1 at a time, by `limits.concurrency`',
    },
    fuel: 0,
    memoryBytes: 0,
  });
  const third = bounded.evaluate(review('c'), clock.now() + 60_000);
  await evaluator.end('a');
  await evaluator.end('c');
  assert.deepEqual(await Promise.all([first, third]), [ALLOWED, ALLOWED]);
  assert.deepEqual(evaluator.asked, ['a', 'c']);
});

test('an evaluator that breaks its contract gives its turn back', async () => {
  const evaluator = createControlled();
  const bounded = takeTurns(evaluator, { ...LIMITS, concurrency: 1 }, clock);
  const broken = assert.rejects(bounded.evaluate(review('a'), NEVER), /broken/);
  const next = bounded.evaluate(review('b'), clock.now() + 60_000);
  await evaluator.end('a', new Error('broken'));
  await broken;
  await evaluator.end('b');
  assert.deepEqual(await next, ALLOWED);
});

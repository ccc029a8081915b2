import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Policy, PolicySpec, Review, Verdict } from '@portcullis/contract';
import * as fc from 'fast-check';
import type { Engine, EngineHost, Evaluator } from '../../../src/engines/engine.ts';
import { isFault, type Fault, type FaultCode } from '../../../src/kernel/fault.ts';
import { createWasmRuntime } from '../../../src/wasm/wasm-runtime.ts';
import { makePolicy } from '../../support/make-policy.ts';
import { makeReview } from '../../support/make-review.ts';
import { noLog } from '../../support/test-host.ts';
import { createShiftedClock } from './shifted-clock.ts';

/**
 * What every engine has to hold: a guest can do nothing but end in a fault with a code; it is never taken for one that allows,
 * and nobody else waits for it.
 *
 * A new engine is finished when a file `<engine>.test.ts` beside this one calls `describeEngineContract` with its fixtures: small
 * modules of its dialect, most of them of one line. What a dialect does not have is a text that says why, and shows as skipped.
 */
export interface EngineFixtures {
  readonly engine: Engine;
  readonly spec?: Partial<PolicySpec>;
  /** A pod is made when absent. */
  readonly review?: Review;
  /** Answers of the dialect to this review. */
  readonly allow: string;
  readonly deny: string;
  /** A module that gives these bytes as its answer and then returns as one that has answered. */
  answering(output: Uint8Array): Uint8Array;
  /** Whole documents that are no answers, besides those that the suite knows; one member of a wrong type each, for example. */
  readonly garbage: readonly string[];
  /** The code of an answer that is none. */
  readonly garbageCode: FaultCode;
  /** By the ABI, no answer at all allows: where that is written. */
  readonly silenceAllows?: string;
  /** Gives an answer that would allow, and it is larger than an answer may be. */
  readonly oversized: Hostile;
  readonly trapping: Hostile;
  /** Never ends and asks the host for nothing; its fuel is 1e12. */
  readonly endless: Uint8Array;
  /** Passes pointers and lengths that lie outside of its memory, to one host function each. */
  readonly badPointers: Readonly<Record<string, Hostile>>;
  /** Denies, though its memory moves while it talks to the host. */
  readonly growing: Uint8Array;
  /** Modules that cannot be a policy of this dialect: exports that are missing, or of another kind or type. */
  readonly refused: Readonly<Record<string, Uint8Array>>;
  /** Guests that cannot do without the host; a text where the dialect has nothing to ask. */
  readonly host: HostFixtures | string;
}

export interface Hostile {
  readonly module: Uint8Array;
  readonly code: FaultCode;
}

export interface HostFixtures {
  /** What the policy needs beside `spec`. */
  readonly spec: Partial<PolicySpec>;
  readonly module: Uint8Array;
  readonly code: FaultCode;
  /** Of a host that does not answer in time; PC_WASM_TIMEOUT when absent. */
  readonly lateCode?: FaultCode;
  /** The host with something behind it that fails as soon as the promise is settled. */
  failing(host: EngineHost, when: Promise<void>): EngineHost;
}

const text = (value: string): Uint8Array => Buffer.from(value);
const PATIENCE_MS = 600_000;
const FUEL = 10_000_000;
/** Of one answer that are tried. */
const MAX_PARTS = 40;

/** Answers of no dialect. */
const NONSENSE: readonly Uint8Array[] = [
  'null',
  'true',
  'false',
  '0',
  '"allowed"',
  '[]',
  '{}',
  '[{"allowed":true}]',
  'allowed',
  ' ',
  '\n',
  '\0',
  '{"allowed":"true"}',
  '{"allowed":1}',
  '{"allowed":null}',
  '{"accepted":1}',
  '{"response":true}',
].map(text);
const NOT_UTF8 = Uint8Array.of(0x22, 0xff, 0xfe, 0x22);

export function describeEngineContract(name: string, fixtures: EngineFixtures): void {
  describe(`contract of the engine ${name}`, () => {
    const stray: unknown[] = [];
    const note = (reason: unknown): void => void stray.push(reason);
    process.on('unhandledRejection', note);
    after(() => {
      process.off('unhandledRejection', note);
      assert.deepEqual(stray, [], 'promises that nobody held');
    });
    const clock = createShiftedClock();
    const host: EngineHost = { runtime: createWasmRuntime({ clock }), clock, log: noLog };
    const review = fixtures.review ?? makeReview();
    const ask = asker(fixtures, review, host);

    test('an answer is told as it was given', async () => {
      assert.equal((await ask(fixtures.answering(text(fixtures.allow)))).outcome, 'allow');
      assert.equal((await ask(fixtures.answering(text(fixtures.deny)))).outcome, 'deny');
    });

    test('an answer that makes no sense is a fault', async () => {
      for (const output of [...NONSENSE, NOT_UTF8, ...fixtures.garbage.map(text)]) {
        assertFault(
          await ask(fixtures.answering(output)),
          fixtures.garbageCode,
          Buffer.from(output).toString(),
        );
      }
    });

    test('no answer is a fault', { skip: fixtures.silenceAllows ?? false }, async () => {
      assertFault(await ask(fixtures.answering(text(''))), fixtures.garbageCode);
    });

    test('an answer that breaks off is a fault, wherever it does', async () => {
      const step = Math.ceil(fixtures.allow.length / MAX_PARTS);
      for (let length = 1; length < fixtures.allow.length; length += step) {
        const part = fixtures.allow.slice(0, length);
        assertFault(await ask(fixtures.answering(text(part))), fixtures.garbageCode, part);
      }
    });

    test('an answer with bytes of noise in it is never an allow that was not given', async () => {
      const whole = text(fixtures.allow);
      const at = fc.nat(whole.length - 1);
      await fc.assert(
        fc.asyncProperty(at, fc.constantFrom(0, 0x22, 0x2c, 0x7b, 0x7d, 0xff), async (position, byte) => {
          fc.pre(whole[position] !== byte);
          const noisy = whole.slice();
          noisy[position] = byte;
          const { outcome } = await ask(fixtures.answering(noisy));
          assert.ok(outcome === 'fault' || saysSo(noisy), `${outcome} for ${Buffer.from(noisy).toString()}`);
        }),
        { numRuns: 60, seed: 5 },
      );
    });

    test('an answer that is too large is a fault, and none of it counts', async () => {
      const { module, code } = fixtures.oversized;
      assertFault(await ask(module), code);
    });

    test('a trap is a fault', async () => {
      const { module, code } = fixtures.trapping;
      assertFault(await ask(module), code);
    });

    for (const [what, { module, code }] of Object.entries(fixtures.badPointers)) {
      test(`${what} outside of the memory is a fault`, async () => assertFault(await ask(module), code));
    }

    test('a memory that moves while the guest talks to the host changes nothing', async () => {
      assert.equal((await ask(fixtures.growing)).outcome, 'deny');
    });

    test('an endless loop ends with its fuel', async () => {
      assertFault(await ask(fixtures.endless), 'PC_WASM_FUEL');
    });

    test('reviews of others are answered while a loop runs that ends only with its deadline', async () => {
      const endless = await open(fixtures, fixtures.endless, host, { fuel: 1e12 });
      const honest = await open(fixtures, fixtures.answering(text(fixtures.deny)), host);
      let isOver = false;
      const loop = endless.evaluate(review, clock.now() + PATIENCE_MS).finally(() => (isOver = true));
      for (let round = 0; round < 5; round++) {
        const { verdict } = await honest.evaluate(review, clock.now() + PATIENCE_MS);
        assert.equal(verdict.outcome, 'deny');
        assert.ok(!isOver, 'the loop was over before an answer that came after it');
      }
      clock.advance(PATIENCE_MS);
      assertFault((await loop).verdict, 'PC_WASM_TIMEOUT');
      endless.close();
      honest.close();
    });

    for (const [what, module] of Object.entries(fixtures.refused)) {
      test(`refused at load: ${what}`, async () => {
        const refusal = await load(fixtures, module, host);
        assert.ok(isFault(refusal), 'it was loaded');
        assert.match(refusal.code, /^PC_MODULE_/);
      });
    }

    describeHost(fixtures, review, host);
  });
}

function describeHost(fixtures: EngineFixtures, review: Review, host: EngineHost): void {
  const { host: asking } = fixtures;
  if (typeof asking === 'string') {
    test('a host that fails or is slow', { skip: asking }, () => {});
    return;
  }
  const { module, code, lateCode = 'PC_WASM_TIMEOUT', spec } = asking;

  test('a host that cannot be reached is a fault', async () => {
    const broken = asking.failing(host, Promise.resolve());
    assertFault(await asker({ ...fixtures, spec }, review, broken)(module), code);
  });

  test('a host that does not answer is a fault at the deadline', async () => {
    const silent = asking.failing(host, new Promise(() => {}));
    const evaluator = await open({ ...fixtures, spec }, module, silent);
    const { verdict } = await evaluator.evaluate(review, host.clock.now() + 30);
    assertFault(verdict, lateCode);
    evaluator.close();
  });

  test('reviews of others are answered while one waits for the host', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = await open({ ...fixtures, spec }, module, asking.failing(host, promise));
    const honest = await open(fixtures, fixtures.answering(text(fixtures.deny)), host);
    const deadline = host.clock.now() + PATIENCE_MS;
    let isOver = false;
    const slow = waiting.evaluate(review, deadline).finally(() => (isOver = true));
    for (let round = 0; round < 5; round++) {
      assert.equal((await honest.evaluate(review, deadline)).verdict.outcome, 'deny');
      assert.ok(!isOver, 'the guest did not wait for the host');
    }
    resolve();
    assertFault((await slow).verdict, code);
    waiting.close();
    honest.close();
  });
}

/** Asks twice, the second time where the first run may have left something behind: both say the same. */
function asker(
  fixtures: EngineFixtures,
  review: Review,
  host: EngineHost,
): (module: Uint8Array) => Promise<Verdict> {
  return async (module) => {
    const evaluator = await open(fixtures, module, host);
    const deadline = host.clock.now() + PATIENCE_MS;
    const { verdict } = await evaluator.evaluate(review, deadline);
    const second = await evaluator.evaluate(review, deadline);
    assert.deepEqual(second.verdict, verdict);
    evaluator.close();
    return verdict;
  };
}

async function open(
  fixtures: EngineFixtures,
  module: Uint8Array,
  host: EngineHost,
  limits: { readonly fuel: number } = { fuel: FUEL },
): Promise<Evaluator> {
  const loaded = await load(fixtures, module, host, limits);
  assert.ok(!isFault(loaded), isFault(loaded) ? loaded.message : '');
  return fixtures.engine.open(loaded.module, loaded.policy, host);
}

interface Loaded {
  readonly module: object;
  readonly policy: Policy;
}

async function load(
  { engine, spec = {} }: EngineFixtures,
  bytes: Uint8Array,
  host: EngineHost,
  { fuel }: { readonly fuel: number } = { fuel: FUEL },
): Promise<Loaded | Fault> {
  const limits = { timeoutMs: 10_000, memoryBytes: 32 * 1024 * 1024, ...spec.limits, fuel };
  const policy = makePolicy('tested', { settings: null, ...spec, limits });
  const module = await engine.compile(bytes);
  if (isFault(module)) return module;
  return (await engine.admit(module, policy, host)) ?? { module, policy };
}

function assertFault(verdict: Verdict, code: FaultCode, what?: string): void {
  assert.equal(verdict.outcome, 'fault', what ?? verdict.outcome);
  if (verdict.outcome !== 'fault') return;
  assert.equal(verdict.code, code, what ?? verdict.message);
  assert.notEqual(verdict.message, '');
}

/** Noise in a string or a number may leave an answer what it was: JSON in which something is still true. */
function saysSo(output: Uint8Array): boolean {
  try {
    return JSON.stringify(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(output))).includes(
      'true',
    );
  } catch {
    return false;
  }
}

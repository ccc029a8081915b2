import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLevel, Logger } from '../../../src/kernel/ports.ts';
import { makeReview } from '../../support/make-review.ts';
import { clock } from '../../support/test-host.ts';
import {
  accessReview,
  admission,
  envelope,
  guest,
  say,
  tokenReview,
  verdictOf,
  verdictsOf,
} from './support/guest.ts';

const ALLOW = admission({ allowed: true });
const DENY = admission({ allowed: false, status: { message: 'no' } });
const TEXTS = [ALLOW, DENY];

interface Line {
  readonly level: LogLevel;
  readonly message: string;
}

function createLines(): { readonly lines: Line[]; readonly log: Logger } {
  const lines: Line[] = [];
  return {
    lines,
    log: { enabled: () => true, log: (level, message) => void lines.push({ level, message }) },
  };
}

test('each gate has its own function, and a program answers every gate', async () => {
  const texts = [
    ALLOW,
    envelope({ status: { authenticated: true, user: { username: 'ana' } } }),
    envelope({ status: { allowed: true } }),
  ];
  const questions = [makeReview(), tokenReview('t'), accessReview('get')];
  for (const [index, entry] of ['validate', 'authn', 'authz'].entries()) {
    for (const name of [entry, '_start']) {
      const module = guest([name], say(texts, index), texts);
      const { outcome } = await verdictOf(module, { review: questions[index] ?? makeReview() });
      assert.equal(outcome, 'allow', name);
    }
  }
});

test('a function of its own is called, never the program beside it', async () => {
  const module = guest(['validate'], say(TEXTS, 1), TEXTS);
  assert.equal((await verdictOf(module)).outcome, 'deny');
});

test('an exit with 0 is an end like any other; another code is a fault, whatever was written', async () => {
  const exiting = (code: number): Uint8Array =>
    guest(['validate'], `${say(TEXTS, 1)} (call $exit (i32.const ${code})) unreachable`, TEXTS);
  assert.equal((await verdictOf(exiting(0))).outcome, 'deny');
  assert.deepEqual(await verdictOf(exiting(3)), {
    outcome: 'fault',
    code: 'PC_WASM_EXIT',
    message: 'call to validate failed: the policy exited with code 3',
  });
});

test('every run begins as the first did', async () => {
  const body = `(global.set $runs (i32.add (global.get $runs) (i32.const 1)))
    (if (i32.eq (global.get $runs) (i32.const 1)) (then ${say(TEXTS, 1)}) (else ${say(TEXTS, 0)}))`;
  const verdicts = await verdictsOf(guest(['validate'], body, TEXTS), {}, 5);
  assert.deepEqual(
    verdicts.map(({ outcome }) => outcome),
    Array.from({ length: 5 }, () => 'deny'),
  );
});

test('what a guest told on standard error is in the fault', async () => {
  const texts = ['no object in the request\n'];
  const module = guest(['validate'], `${say(texts, 0, 2)} unreachable`, texts);
  assert.deepEqual(await verdictOf(module), {
    outcome: 'fault',
    code: 'PC_WASM_TRAP',
    message:
      "call to validate failed. stderr: 'no object in the request', err: the policy trapped: unreachable",
  });
});

test('of much on standard error the beginning is told, and it does not end the guest', async () => {
  const texts = ['x'.repeat(5000), ALLOW];
  const body = `${say(texts, 0, 2).repeat(10)} ${say(texts, 1)}`;
  assert.equal((await verdictOf(guest(['validate'], body, texts))).outcome, 'allow');
  const verdict = await verdictOf(guest(['validate'], `${body} unreachable`, texts));
  assert.ok(verdict.outcome === 'fault' && verdict.message.length < 1200, verdict.outcome);
});

test('standard error of a run that worked is in the debug log, unless the request holds a secret', async () => {
  const texts = ['seen\n', ALLOW, envelope({ status: {} })];
  const module = guest(['validate'], say(texts, 0, 2) + say(texts, 1), texts);
  const { lines, log } = createLines();
  await verdictOf(module, { host: { log } });
  assert.deepEqual(lines, [{ level: 'debug', message: 'seen' }]);
  const resource = { group: '', version: 'v1', resource: 'secrets' };
  await verdictOf(module, { host: { log }, review: makeReview({}, { resource }) });
  const login = guest(['authn'], say(texts, 0, 2) + say(texts, 2), texts);
  await verdictOf(login, { host: { log }, review: tokenReview('seen') });
  assert.equal(lines.length, 1);
});

test('a token is in no message, wherever the guest puts it', async () => {
  const review = tokenReview('desk-42');
  const leaks = [
    [JSON.stringify({ error: 'bad token desk-42' }), ''],
    [envelope({ status: { authenticated: false, error: 'bad token desk-42' } }), ''],
    ['desk-42 is no JSON', 'unreachable'],
  ];
  for (const [text = '', end = ''] of leaks) {
    const module = guest(['authn'], say([text], 0) + say([text], 0, 2) + end, [text]);
    const verdict = await verdictOf(module, { review });
    assert.equal(verdict.outcome, 'fault');
    assert.doesNotMatch(JSON.stringify(verdict), /desk-42/);
  }
});

test('an answer over the limit of the policy is a fault, also where the rest would fit', async () => {
  const texts = [' '.repeat(1024), ALLOW];
  const module = guest(['validate'], say(texts, 0) + say(texts, 1), texts);
  const limits = { timeoutMs: 1000, memoryBytes: 16 * 1024 ** 2, fuel: 1e7 };
  assert.equal((await verdictOf(module, { spec: { limits } })).outcome, 'allow');
  assert.deepEqual(await verdictOf(module, { spec: { limits: { ...limits, outputBytes: 1024 } } }), {
    outcome: 'fault',
    code: 'PC_WASI_OUTPUT',
    message: 'its output is larger than `limits.output`',
  });
});

test('clocks and random numbers are those of the host', async () => {
  const body = `
    (drop (call $random (i32.const 100) (i32.const 4)))
    (drop (call $time (i32.const 0) (i64.const 0) (i32.const 104)))
    (if (i32.and (i32.eq (i32.load (i32.const 100)) (i32.const 0x07070707))
                 (i64.eq (i64.load (i32.const 104)) (i64.const 1700000000000000000)))
      (then ${say(TEXTS, 0)}) (else ${say(TEXTS, 1)}))`;
  const module = guest(['validate'], body, TEXTS);
  const host = {
    clock: { now: () => clock.now(), wall: () => 1_700_000_000_000 },
    random: (bytes: Uint8Array) => void bytes.fill(7),
  };
  assert.equal((await verdictOf(module, { host })).outcome, 'allow');
  assert.equal((await verdictOf(module)).outcome, 'deny');
});

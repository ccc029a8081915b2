import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAnswerCache } from '../../src/capabilities/answer-cache.ts';
import { createCapabilities } from '../../src/capabilities/create-capabilities.ts';
import { unavailable } from '../../src/capabilities/provider.ts';
import { answerQuestion, createThreadCapabilities } from '../../src/app/threads/thread-capabilities.ts';
import type { HostQuestion } from '../../src/app/threads/thread-messages.ts';
import type { CapabilityRequest, HostCapabilities } from '../../src/engines/host-capabilities.ts';
import { Fault } from '../../src/kernel/fault.ts';
import { assertFault } from './support/ask.ts';
import { createRuntime } from './support/runtime.ts';

const runtime = createRuntime();
const NAME = 'net/v1/dns_lookup_host';
const request = (policy = 'a', timeout = 30_000): CapabilityRequest => ({
  capability: NAME,
  payload: Buffer.from('"x"'),
  policy,
  deadline: runtime.clock.now() + timeout,
});

test('a provider that throws, that never answers, and one that there is not, are faults', async () => {
  const throwing = createCapabilities({ [NAME]: () => Promise.reject(new Error('broken')) }, runtime);
  assertFault(await throwing.call(request()), 'PC_CAPABILITY_FAILED', /^broken$/);
  const silent = createCapabilities({ [NAME]: () => new Promise(() => {}) }, runtime);
  assertFault(await silent.call(request('a', 10)), 'PC_CAPABILITY_TIMEOUT');
  assertFault(await silent.call(request('a', -10)), 'PC_CAPABILITY_TIMEOUT');
  assertFault(await createCapabilities({}, runtime).call(request()), 'PC_CAPABILITY_UNAVAILABLE');
  const without = createCapabilities(unavailable([NAME], 'it has no resolver'), runtime);
  assertFault(await without.call(request()), 'PC_CAPABILITY_UNAVAILABLE', /: it has no resolver$/);
});

test('a policy that floods the host takes its own places only, and they are free again', async () => {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const limits = { maxInFlight: 3, maxPerPolicy: 2 };
  const host = createCapabilities({ [NAME]: () => promise }, runtime, limits);
  const asked = [host.call(request()), host.call(request())];
  assertFault(await host.call(request()), 'PC_CAPABILITY_BUSY', /: 2 of this policy$/);
  asked.push(host.call(request('b')));
  assertFault(await host.call(request('c')), 'PC_CAPABILITY_BUSY', /: 3$/);
  resolve(Buffer.from('1'));
  for (const answer of await Promise.all(asked)) assert.equal(String(answer), '1');
  assert.equal(String(await host.call(request('c'))), '1');
});

/** The two sides of a thread boundary, without threads. */
function across(capabilities: HostCapabilities | undefined) {
  const sent: HostQuestion[] = [];
  const thread = createThreadCapabilities({
    runtime,
    send(question) {
      const copy = structuredClone(question);
      sent.push(copy);
      if (capabilities === undefined) return;
      void answerQuestion(copy, capabilities, runtime.clock.now()).then((answer) =>
        thread.answered(structuredClone(answer)),
      );
    },
    here: ({ policy }) => (policy === 'here' ? Promise.resolve(Buffer.from('"here"')) : undefined),
  });
  return { thread, sent };
}

test('questions and answers cross the threads, each to its own', async () => {
  const { thread, sent } = across({
    async call({ policy, deadline }) {
      if (policy === 'slow') await new Promise((resolve) => setTimeout(resolve, 20));
      if (policy === 'bad') return new Fault('PC_CAPABILITY_FAILED', 'not today');
      assert.ok(deadline > runtime.clock.now());
      return Buffer.from(policy);
    },
  });
  const [slow, fast, bad, here] = await Promise.all(
    ['slow', 'fast', 'bad', 'here'].map((policy) => thread.call(request(policy))),
  );
  assert.deepEqual(
    [slow, fast].map((answer) => Buffer.from(answer as Uint8Array).toString()),
    ['slow', 'fast'],
  );
  assertFault(bad, 'PC_CAPABILITY_FAILED', /^not today$/);
  assert.equal(String(here), '"here"');
  assert.deepEqual(
    sent.map(({ policy }) => policy),
    ['slow', 'fast', 'bad'],
  );
});

test('a control thread that does not answer is a fault at the deadline, and a late answer is nobody’s', async () => {
  const { thread, sent } = across(undefined);
  assertFault(await thread.call(request('a', 20)), 'PC_CAPABILITY_TIMEOUT');
  thread.answered({ type: 'host-answer', id: sent[0]?.id ?? 0, answer: Buffer.from('late') });
  const next = thread.call(request());
  assert.notEqual(sent[1]?.id, sent[0]?.id);
  thread.answered({ type: 'host-answer', id: sent[1]?.id ?? 0, answer: Buffer.from('own') });
  assert.equal(Buffer.from((await next) as Uint8Array).toString(), 'own');
});

/** Shared memory, as inventories are. */
function sharedText(text: string): Uint8Array {
  const bytes = Buffer.from(new SharedArrayBuffer(text.length));
  bytes.write(text);
  return bytes;
}

test('an inventory is one question for all who ask at the same time, and the same array as long as it is the same', async () => {
  let answer: Uint8Array | Fault = sharedText('{"a":1}');
  const { thread, sent } = across({ call: () => Promise.resolve(answer) });
  const ask = (policy: string, kinds = '["x"]'): Promise<Uint8Array | Fault> =>
    thread.call({ ...request(policy), capability: 'kubernetes/inventory', payload: Buffer.from(kinds) });
  const policies = Array.from({ length: 1000 }, (_, index) => `p${index}`);
  const [first, ...others] = await Promise.all(policies.map((policy) => ask(policy)));
  assert.equal(Buffer.from(first as Uint8Array).toString(), '{"a":1}');
  assert.ok(others.every((other) => other === first));
  assert.equal(sent.length, 1);
  assert.equal(await ask('later'), first);
  assert.equal(sent.length, 2);
  const elsewhere = await ask('p', '["y"]');
  assert.notEqual(elsewhere, first);
  answer = sharedText('{"a":2}');
  const second = await ask('p');
  assert.equal(Buffer.from(second as Uint8Array).toString(), '{"a":2}');
  assert.equal(await ask('p'), second);
  answer = new Fault('PC_CAPABILITY_FAILED', 'gone');
  assertFault(await ask('p'), 'PC_CAPABILITY_FAILED', /^gone$/);
});

test('who has more time than the one who asked first asks again', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { thread } = across({ call: () => promise.then(() => sharedText('{}')) });
  const ask = (timeout: number): Promise<Uint8Array | Fault> =>
    thread.call({ ...request('p', timeout), capability: 'kubernetes/inventory' });
  const [hurried, patient] = [ask(20), ask(30_000)];
  assertFault(await hurried, 'PC_CAPABILITY_TIMEOUT');
  resolve();
  assert.equal(Buffer.from((await patient) as Uint8Array).toString(), '{}');
});

test('answers are remembered for their time, failures for a shorter one, and nobody asks twice at once', async () => {
  let now = 0;
  let asked = 0;
  const clock = { now: () => now, wall: () => now };
  const cache = createAnswerCache<Uint8Array>({ clock, ttl: 5000, max: 2 });
  const good = (): Promise<Uint8Array> => Promise.resolve(Buffer.from(String((asked += 1))));
  const bad = (): Promise<Fault> => Promise.resolve(new Fault('PC_CAPABILITY_FAILED', String((asked += 1))));
  now = 1;
  const both = await Promise.all([cache.get('a', good), cache.get('a', good)]);
  assert.deepEqual(both.map(String), ['1', '1']);
  now = 4900;
  assert.equal(String(await cache.get('a', good)), '1');
  now = 5100;
  assert.equal(String(await cache.get('a', good)), '2');
  assertFault(await cache.get('b', bad), 'PC_CAPABILITY_FAILED', /^3$/);
  now = 5900;
  assertFault(await cache.get('b', bad), 'PC_CAPABILITY_FAILED', /^3$/);
  now = 6200;
  assert.equal(String(await cache.get('b', good)), '4');
  await cache.get('c', good);
  assert.equal(String(await cache.get('a', good)), '6');
});

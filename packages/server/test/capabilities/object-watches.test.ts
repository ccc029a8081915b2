import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createObjectWatches, type ObjectWatches } from '../../src/capabilities/kubernetes/object-watches.ts';
import { isFault } from '../../src/kernel/fault.ts';
import type { KubeResource } from '../../src/kube/resource.ts';
import { startFakeKubeServer } from '../kube/support/fake-kube-server.ts';
import { openClient } from '../kube/support/open-client.ts';
import { createRuntime } from './support/runtime.ts';

const CONFIG_MAPS: KubeResource = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

interface Bench {
  readonly watches: ObjectWatches;
  /** Milliseconds; the clock stands otherwise. */
  pass(milliseconds: number): void;
  select(policy: string, number: number): string;
  follow(number: number): string;
}

async function setUp(t: TestContext): Promise<Bench> {
  const server = await startFakeKubeServer();
  const runtime = createRuntime();
  const client = openClient(server, runtime);
  let now = 0;
  const clock = { now: () => now, wall: () => runtime.clock.wall() };
  const watches = createObjectWatches({ client, runtime: { ...runtime, clock }, maxBytes: 1024 ** 2 });
  t.after(async () => {
    await watches.stop();
    client.close();
    await server.close();
  });
  const outcome = (answer: object): string => (isFault(answer) ? answer.message : 'followed');
  return {
    watches,
    pass: (milliseconds) => void (now += milliseconds),
    select: (policy, number) =>
      outcome(watches.of(CONFIG_MAPS, { policy, fieldSelector: `metadata.name=x${number}` })),
    follow: (number) => outcome(watches.of({ ...CONFIG_MAPS, plural: `kind${number}` })),
  };
}

const TOO_MANY =
  'the policy asks for more than 16 field selectors within a minute, and each has to be followed: select by labels, or among the answer';

test('one policy that makes up field selectors leaves room for the others', async (t) => {
  const { select, follow } = await setUp(t);
  for (let number = 0; number < 16; number += 1) assert.equal(select('greedy', number), 'followed');
  assert.equal(select('greedy', 16), TOO_MANY);
  // What it has, it keeps; others share it, and have places of their own.
  assert.equal(select('greedy', 3), 'followed');
  for (let number = 10; number < 26; number += 1) assert.equal(select('other', number), 'followed');
  assert.equal(select('other', 0), TOO_MANY);
  assert.equal(follow(1), 'followed');
});

test('places of a policy are free again a minute after it last asked', async (t) => {
  const { select, pass } = await setUp(t);
  for (let number = 0; number < 16; number += 1) select('p', number);
  pass(59_000);
  assert.equal(select('p', 0), 'followed');
  assert.equal(select('p', 16), TOO_MANY);
  pass(1000);
  for (let number = 16; number < 31; number += 1) assert.equal(select('p', number), 'followed');
  assert.equal(select('p', 31), TOO_MANY);
});

test('when all places are taken, the one that nobody asked for longest goes', async (t) => {
  const { watches, follow, pass } = await setUp(t);
  for (let number = 0; number < 128; number += 1) assert.equal(follow(number), 'followed');
  assert.equal(follow(128), '128 kinds and field selectors are followed for policies already');
  pass(60_000);
  for (let number = 1; number < 128; number += 1) follow(number);
  assert.equal(follow(128), 'followed');
  assert.equal(watches.states().has('kind0'), false);
  assert.equal(watches.states().has('kind128'), true);
});

test('states are named for kinds: what a guest selects by is in no name', async (t) => {
  const { watches, select } = await setUp(t);
  watches.of(CONFIG_MAPS);
  for (const number of [1, 2, 3]) select('p', number);
  assert.deepEqual([...watches.states().keys()], ['configmaps', 'configmaps by fields']);
});

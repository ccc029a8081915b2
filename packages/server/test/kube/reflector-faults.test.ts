import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { startFaultProxy } from '../../../../e2e/support/fault-proxy.ts';
import type { KubeObject } from '../../src/kube/kube-object.ts';
import { createReflector } from '../../src/kube/reflector/create-reflector.ts';
import type { Reflector, ReflectorState } from '../../src/kube/reflector/reflector-types.ts';
import { createFastRuntime } from './support/fast-runtime.ts';
import { startFakeKubeServer, type FakeKubeServer } from './support/fake-kube-server.ts';
import { anyStep, type Step } from './support/fault-steps.ts';
import { CONFIGMAPS, openClient } from './support/open-client.ts';
import { until } from './support/until.ts';

/** How many times faster time passes: a pause of 30 s takes 0.3 s. */
const SPEED = 100;

interface Run {
  readonly steps: readonly Step[];
  readonly watchList: boolean;
  readonly pageAtZero: boolean;
  readonly seed: number;
}

const run: fc.Arbitrary<Run> = fc.record({
  steps: fc.array(anyStep, { minLength: 1, maxLength: 40, size: 'max' }),
  watchList: fc.boolean(),
  pageAtZero: fc.boolean(),
  seed: fc.integer({ min: 0, max: 2 ** 31 - 2 }),
});

test('after every sequence of faults the copy is what the server has, and so is what subscribers were told', async () => {
  const reasons = new Map<string, number>();
  const property = fc.asyncProperty(run, async (one) => {
    for (const [reason, count] of Object.entries((await play(one)).restarts)) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + count);
    }
  });
  await fc.assert(property, { seed: 19, numRuns: 40, endOnFailure: true });
  // The faults were really met; which ones, depends on who was faster. Each by itself: reflector.test.ts.
  const met = [...reasons].filter(([, count]) => count > 0);
  assert.ok(met.length >= 6, `few faults were met: ${JSON.stringify([...reasons])}`);
});

async function play({ steps, watchList, pageAtZero, seed }: Run): Promise<ReflectorState> {
  const server = await startFakeKubeServer({
    watchList,
    pageAtZero,
    bookmarkEvery: 60_000 / SPEED,
    // So that a server that is replaced does not come to the same versions again.
    firstVersion: 100_000,
  });
  const proxy = await startFaultProxy({ target: Number(new URL(server.url).port) });
  const runtime = createFastRuntime(SPEED, lehmer(seed));
  const client = openClient({ url: `https://127.0.0.1:${proxy.port}`, caPem: server.caPem }, runtime);
  const reflector = createReflector({ client, runtime, resource: CONFIGMAPS, project: dataOf });
  const told = follow(reflector);
  try {
    server.store.put('a/1', { data: { text: 'first' } });
    reflector.start();
    for (const step of steps) await step.run({ server, proxy });
    server.onRequest = () => undefined;
    server.onBody = () => undefined;
    server.store.put('z/last', { data: { text: 'last' } });
    await until(() => isSame(reflector, serverSide(server)), 'the copy is what the server has');
    assert.deepEqual(Object.fromEntries(told), serverSide(server));
    return reflector.state();
  } finally {
    await reflector.stop();
    client.close();
    await proxy.close();
    await server.close();
  }
}

/** What a subscriber knows; every change must fit to what it knew before. */
function follow(reflector: Reflector<string>): ReadonlyMap<string, string> {
  const told = new Map<string, string>();
  reflector.subscribe((change) => {
    if (change.type === 'synced') return;
    assert.equal(told.get(change.key), change.type === 'added' ? undefined : change.before);
    if (change.type === 'deleted') told.delete(change.key);
    else told.set(change.key, change.value);
  });
  return told;
}

function dataOf(object: KubeObject): string {
  return JSON.stringify(object['data'] ?? {});
}

function serverSide(server: FakeKubeServer): Readonly<Record<string, string>> {
  const objects = server.store.objects();
  return Object.fromEntries(
    objects.map((object) => [
      `${object.metadata.namespace}/${object.metadata.name}`,
      JSON.stringify(object.data ?? {}),
    ]),
  );
}

function isSame(reflector: Reflector<string>, expected: Readonly<Record<string, string>>): boolean {
  const found = [...reflector.items()];
  return (
    found.length === Object.keys(expected).length && found.every(([key, text]) => expected[key] === text)
  );
}

/** Park and Miller's generator, so that a failure can be repeated. */
function lehmer(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 48_271) % 0x7fffffff;
    return state / 0x7fffffff;
  };
}

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createCapabilities } from '../../src/capabilities/create-capabilities.ts';
import { createKubernetesCapabilities } from '../../src/capabilities/kubernetes/kubernetes-providers.ts';
import type { HostCapabilities } from '../../src/engines/host-capabilities.ts';
import { isFault, type Fault } from '../../src/kernel/fault.ts';
import type { Host } from '../../src/kernel/ports.ts';
import { startFakeKubeServer, type FakeKubeServer } from '../kube/support/fake-kube-server.ts';
import { openClient } from '../kube/support/open-client.ts';
import { assertFault } from './support/ask.ts';
import { createRuntime } from './support/runtime.ts';

const closing: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closing) await close();
});

/** The server has one store for all kinds. */
const RESOURCES: Readonly<Record<string, readonly object[]>> = {
  '/api/v1': [
    { name: 'configmaps', kind: 'ConfigMap', namespaced: true },
    { name: 'events', kind: 'Event', namespaced: true },
    { name: 'leases', kind: 'Lease', namespaced: false },
  ],
  '/apis/events.k8s.io/v1': [
    { name: 'events', kind: 'Event', namespaced: true },
    { name: 'configmaps', kind: 'Alike', namespaced: false },
  ],
};

interface Bench {
  readonly server: FakeKubeServer;
  readonly host: HostCapabilities;
  readonly runtime: Host & { skew: number };
  ask(layout: string, kinds: readonly string[], timeout?: number): Promise<Uint8Array | Fault>;
}

async function setUp(maxBytes = 64 * 1024 ** 2): Promise<Bench> {
  const server = await startFakeKubeServer();
  const real = createRuntime();
  const runtime = {
    ...real,
    skew: 0,
    clock: { now: () => real.clock.now() + runtime.skew, wall: () => real.clock.wall() },
  };
  const client = {
    ...openClient(server, runtime),
    raw: (path: string) =>
      Promise.resolve({
        status: Object.hasOwn(RESOURCES, path) ? 200 : 404,
        text: JSON.stringify({ resources: RESOURCES[path] }),
      }),
  };
  const kubernetes = createKubernetesCapabilities({ client, runtime, maxBytes });
  const host = createCapabilities(kubernetes.providers, runtime);
  closing.push(async () => {
    await kubernetes.stop();
    client.close();
    await server.close();
  });
  return {
    server,
    host,
    runtime,
    ask(layout, kinds, timeout = 30_000) {
      const asked = kinds.map((name) => {
        const at = name.lastIndexOf('/');
        return { apiVersion: name.slice(0, at), kind: name.slice(at + 1) };
      });
      return host.call({
        capability: 'kubernetes/inventory',
        payload: Buffer.from(JSON.stringify({ layout, kinds: asked })),
        policy: 'tested',
        deadline: runtime.clock.now() + timeout,
      });
    },
  };
}

function parsed(answer: Uint8Array | Fault): unknown {
  assert.ok(!isFault(answer), isFault(answer) ? answer.message : '');
  return JSON.parse(Buffer.from(answer).toString());
}

/** Of each object its number only. */
function numbers(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('data' in value) return (value.data as { n: string }).n;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, numbers(inner)]));
}

const n = (number: number): object => ({ data: { n: String(number) } });

test('as kube-mgmt has it, and as Gatekeeper', async () => {
  const { server, ask } = await setUp();
  server.store.put('a/one', n(1));
  server.store.put('b/one', n(2));
  server.store.put('b/two', { ...n(3), metadata: { managedFields: [{ manager: 'kubectl' }] } as never });
  assert.deepEqual(numbers(parsed(await ask('opa', ['v1/ConfigMap']))), {
    configmaps: { a: { one: '1' }, b: { one: '2', two: '3' } },
  });
  const answer = await ask('gatekeeper', ['v1/ConfigMap']);
  assert.deepEqual(numbers(parsed(answer)), {
    cluster: {},
    namespace: {
      a: { v1: { ConfigMap: { one: '1' } } },
      b: { v1: { ConfigMap: { one: '2', two: '3' } } },
    },
  });
  const text = Buffer.from(answer as Uint8Array).toString();
  assert.ok(!text.includes('managedFields'));
  assert.ok(text.includes('"apiVersion":"v1","kind":"ConfigMap"'));
});

test('several kinds, also of one plural', async () => {
  const { server, ask } = await setUp();
  server.store.put('a/one', n(1));
  const events = ['events.k8s.io/v1/Event', 'v1/Event'];
  assert.deepEqual(numbers(parsed(await ask('gatekeeper', events))), {
    cluster: {},
    namespace: { a: { 'events.k8s.io/v1': { Event: { one: '1' } }, v1: { Event: { one: '1' } } } },
  });
  // Two groups with the same plural share a place.
  assert.deepEqual(numbers(parsed(await ask('opa', events))), { events: { a: { one: '1' } } });
});

test('a whole set that is empty is an empty inventory; one that is not whole yet is a fault', async () => {
  const { ask } = await setUp();
  assert.deepEqual(parsed(await ask('opa', ['v1/ConfigMap', 'v1/Lease'])), { configmaps: {}, leases: {} });
  assert.deepEqual(parsed(await ask('gatekeeper', ['v1/ConfigMap'])), { cluster: {}, namespace: {} });

  const silent = await setUp();
  silent.server.onRequest = (_request, { pathname }) =>
    pathname.includes('leases') ? { kind: 'mute' } : undefined;
  assertFault(await silent.ask('opa', ['v1/ConfigMap', 'v1/Lease'], 100), 'PC_CAPABILITY_TIMEOUT');
  const forbidden = await setUp();
  forbidden.server.onRequest = () => ({ kind: 'status', status: 403 });
  assertFault(
    await forbidden.ask('gatekeeper', ['v1/ConfigMap']),
    'PC_CAPABILITY_FAILED',
    /^configmaps cannot be read: /,
  );
});

test('what is not a question about kinds of this cluster is said', async () => {
  const { host, ask, runtime } = await setUp();
  assertFault(await ask('opa', ['v1/Pot']), 'PC_CAPABILITY_INPUT', /^the cluster has no kind `Pot` in `v1`$/);
  assertFault(await ask('rego', ['v1/ConfigMap']), 'PC_CAPABILITY_INPUT');
  assertFault(await ask('opa', []), 'PC_CAPABILITY_INPUT');
  assertFault(
    await ask('opa', ['events.k8s.io/v1/Alike', 'v1/ConfigMap']),
    'PC_CAPABILITY_INPUT',
    /^one of two kinds `configmaps` has namespaces and the other has not$/,
  );
  const deadline = runtime.clock.now() + 1000;
  const payload = Buffer.from('[]');
  assertFault(
    await host.call({ capability: 'kubernetes/inventory', payload, policy: 'x', deadline }),
    'PC_CAPABILITY_INPUT',
  );
});

test('the same bytes as long as nothing changes, other ones at once when something does', async () => {
  const { server, ask, runtime } = await setUp();
  server.store.put('a/one', n(1));
  const first = await ask('opa', ['v1/ConfigMap']);
  assert.ok(!isFault(first) && first.buffer instanceof SharedArrayBuffer);
  assert.equal(await ask('opa', ['v1/ConfigMap']), first);
  // A list that repeats everything changes nothing.
  server.cut();
  server.store.put('a/two', n(2));
  let second = first;
  while (second === first) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const answer = await ask('opa', ['v1/ConfigMap']);
    assert.ok(!isFault(answer));
    second = answer;
  }
  assert.deepEqual(numbers(parsed(second)), { configmaps: { a: { one: '1', two: '2' } } });
  assert.equal(await ask('opa', ['v1/ConfigMap']), second);
  // What was handed out stays as it was.
  assert.deepEqual(numbers(parsed(first)), { configmaps: { a: { one: '1' } } });
  runtime.skew += 60_000;
  assert.equal(await ask('opa', ['v1/ConfigMap']), second);
});

test('a large one that changes all the time is not made anew for each question', async () => {
  const { server, ask, runtime } = await setUp();
  server.store.put('a/large', { data: { n: 'x'.repeat(4 * 1024 ** 2) } });
  const now = async (): Promise<Uint8Array> => {
    const answer = await ask('opa', ['v1/ConfigMap']);
    assert.ok(!isFault(answer));
    return answer;
  };
  const first = await now();
  server.store.put('a/small', n(2));
  // Of another layout, which is made now: it shows when the change has arrived.
  for (let seen = false; !seen; runtime.skew += 20) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    seen = Buffer.from((await ask('gatekeeper', ['v1/ConfigMap'])) as Uint8Array).includes('"small"');
  }
  const young = (await now()) === first;
  runtime.skew += 300;
  const later = await now();
  assert.notEqual(later, first);
  assert.ok(Buffer.from(later).includes('"small"'));
  assert.ok(young || runtime.skew > 256);
});

test('more than modules can take is refused', async () => {
  const { server, ask } = await setUp(256 * 1024 ** 2);
  for (let index = 0; index < 17; index += 1) {
    server.store.put(`a/m${index}`, { data: { n: 'x'.repeat(1024 ** 2) } });
  }
  assertFault(
    await ask('opa', ['v1/ConfigMap']),
    'PC_CAPABILITY_SIZE',
    /^all configmaps together are more than 16 MiB$/,
  );
});

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createKubernetesCapabilities } from '../../src/capabilities/kubernetes/kubernetes-providers.ts';
import { isFault } from '../../src/kernel/fault.ts';
import { startFakeKubeServer, type FakeKubeServer } from '../kube/support/fake-kube-server.ts';
import { openClient } from '../kube/support/open-client.ts';
import { asker, assertFault, type Ask } from './support/ask.ts';
import { createRuntime } from './support/runtime.ts';

interface Bench {
  readonly server: FakeKubeServer;
  /** Reviews that were asked, and what they are answered with. */
  readonly reviews: unknown[];
  readonly ask: Ask;
  states(): ReturnType<ReturnType<typeof createKubernetesCapabilities>['states']>;
  close(): Promise<void>;
}

const open: Bench[] = [];
after(async () => {
  for (const bench of open) await bench.close();
});

const KINDS = {
  kind: 'APIResourceList',
  resources: [
    { name: 'configmaps', kind: 'ConfigMap', namespaced: true },
    { name: 'configmaps/status', kind: 'Status', namespaced: true },
    { name: 'namespaces', kind: 'Namespace', namespaced: false },
  ],
};

async function setUp(maxBytes = 1024 ** 2, allowed: unknown = { allowed: true }): Promise<Bench> {
  const server = await startFakeKubeServer();
  const runtime = createRuntime();
  const reviews: unknown[] = [];
  const client = {
    ...openClient(server, runtime),
    raw: (path: string) =>
      Promise.resolve({ status: path === '/api/v1' ? 200 : 404, text: JSON.stringify(KINDS) }),
    create: (_target: unknown, body: object) => {
      reviews.push('spec' in body ? body.spec : undefined);
      return Promise.resolve({ apiVersion: 'v1', kind: 'x', metadata: { name: '' }, status: allowed });
    },
  };
  const kubernetes = createKubernetesCapabilities({ client, runtime, maxBytes });
  const bench: Bench = {
    server,
    reviews,
    ask: asker(kubernetes.providers),
    states: () => kubernetes.states(),
    async close() {
      await kubernetes.stop();
      client.close();
      await server.close();
    },
  };
  open.push(bench);
  return bench;
}

const CONFIG_MAPS = { api_version: 'v1', kind: 'ConfigMap' };
const labelled = (labels: Record<string, string>): { readonly metadata: never } => ({
  metadata: { labels, managedFields: [{ manager: 'kubectl' }] } as never,
});

/** Until it holds; the test runner ends what never does. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

function names(list: unknown): string[] {
  assert.ok(!isFault(list), isFault(list) ? list.message : '');
  const { items } = list as { items: { metadata: { name: string; namespace: string } }[] };
  return items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).toSorted();
}

test('a list is what is in the cluster, and follows it without asking again', async () => {
  const { server, ask } = await setUp();
  server.store.put('a/one', { data: { x: '1' }, ...labelled({ tier: 'web' }) });
  server.store.put('b/two', {});
  const list = (await ask('kubernetes/list_resources_all', CONFIG_MAPS)) as Record<string, unknown>;
  assert.deepEqual(names(list), ['a/one', 'b/two']);
  assert.deepEqual([list['apiVersion'], list['kind'], list['metadata']], ['v1', 'ConfigMapList', {}]);
  assert.ok(!JSON.stringify(list).includes('managedFields'));
  const asked = server.requests.length;

  server.store.put('a/three', {});
  server.store.remove('b/two');
  await until(async () => names(await ask('kubernetes/list_resources_all', CONFIG_MAPS)).includes('a/three'));
  assert.deepEqual(names(await ask('kubernetes/list_resources_all', CONFIG_MAPS)), ['a/one', 'a/three']);
  assert.equal(server.requests.length, asked);
});

test('a list is narrowed by namespace, labels and fields', async () => {
  const { server, ask } = await setUp();
  server.store.put('a/one', { data: { x: '1' }, ...labelled({ tier: 'web' }) });
  server.store.put('a/two', labelled({ tier: 'db' }));
  server.store.put('b/three', labelled({ tier: 'web' }));
  const inA = { ...CONFIG_MAPS, namespace: 'a' };
  assert.deepEqual(names(await ask('kubernetes/list_resources_by_namespace', inA)), ['a/one', 'a/two']);
  const web = { ...CONFIG_MAPS, label_selector: 'tier in (web, api), tier!=x', field_selector: null };
  assert.deepEqual(names(await ask('kubernetes/list_resources_all', web)), ['a/one', 'b/three']);
  const masked = { ...inA, label_selector: 'tier=web', field_masks: ['metadata.name', 'data'] };
  for (let round = 0; round < 2; round += 1) {
    const { items } = (await ask('kubernetes/list_resources_by_namespace', masked)) as { items: unknown };
    assert.deepEqual(items, [{ data: { x: '1' }, metadata: { name: 'one' } }]);
  }
  assertFault(
    await ask('kubernetes/list_resources_all', { ...CONFIG_MAPS, label_selector: 'tier in web' }),
    'PC_CAPABILITY_INPUT',
    /^`tier in web` is no requirement of a label selector$/,
  );
});

test('one object: from the API server, for a while from memory, and at once when it is followed', async () => {
  const { server, ask } = await setUp();
  server.store.put('a/one', { data: { x: '1' } });
  const one = { ...CONFIG_MAPS, name: 'one', namespace: 'a' };
  const dataOf = async (input: object): Promise<unknown> =>
    ((await ask('kubernetes/get_resource', input)) as { data: unknown }).data;
  assert.deepEqual(await dataOf({ ...one, disable_cache: false }), { x: '1' });
  server.store.put('a/one', { data: { x: '2' } });
  assert.deepEqual(await dataOf(one), { x: '1' });
  assert.deepEqual(await dataOf({ ...one, disable_cache: true }), { x: '2' });
  await ask('kubernetes/list_resources_all', CONFIG_MAPS);
  assert.deepEqual(await dataOf(one), { x: '2' });
  assertFault(await ask('kubernetes/get_resource', { ...one, name: 'none' }), 'PC_KUBE_NOT_FOUND');
  assertFault(await ask('kubernetes/get_resource', { ...CONFIG_MAPS, name: 'one' }), 'PC_CAPABILITY_INPUT');
});

test('what the cluster does not have, and what is asked in a wrong form, is said', async () => {
  const { ask } = await setUp();
  for (const [input, message] of [
    [{ api_version: 'v1', kind: 'Pot' }, /^the cluster has no kind `Pot` in `v1`$/],
    [{ api_version: 'apps/v1', kind: 'Deployment' }, /^the cluster has no kind `Deployment` in `apps\/v1`$/],
    [{ api_version: '../v1', kind: 'Pod' }, /^`\.\.\/v1` is no API version$/],
    [{ api_version: 'v1' }, /^the request for `kubernetes\/list_resources_all` cannot be read: `kind`: /],
    [[], /cannot be read/],
  ] as const) {
    assertFault(await ask('kubernetes/list_resources_all', input), 'PC_CAPABILITY_INPUT', message);
  }
  const namespaces = { api_version: 'v1', kind: 'Namespace', namespace: 'a' };
  assertFault(await ask('kubernetes/list_resources_by_namespace', namespaces), 'PC_CAPABILITY_INPUT');
});

test('an API server that forbids, is silent or is gone is a fault, at the latest at the deadline', async () => {
  const forbidden = await setUp();
  forbidden.server.onRequest = () => ({ kind: 'status', status: 403 });
  assertFault(
    await forbidden.ask('kubernetes/list_resources_all', CONFIG_MAPS),
    'PC_CAPABILITY_FAILED',
    /^configmaps cannot be read: /,
  );
  const silent = await setUp();
  silent.server.onRequest = () => ({ kind: 'mute' });
  assertFault(await silent.ask('kubernetes/list_resources_all', CONFIG_MAPS, 30), 'PC_CAPABILITY_TIMEOUT');
  const one = { ...CONFIG_MAPS, name: 'one', namespace: 'a', disable_cache: true };
  assertFault(await silent.ask('kubernetes/get_resource', one, 30), 'PC_CAPABILITY_TIMEOUT');
});

test('a kind that is too large is not held, and says so', async () => {
  const { server, ask, states } = await setUp(4096);
  for (let index = 0; index < 20; index += 1) {
    server.store.put(`a/m${index}`, { data: { x: 'y'.repeat(500) } });
  }
  for (let round = 0; round < 2; round += 1) {
    assertFault(
      await ask('kubernetes/list_resources_all', CONFIG_MAPS),
      'PC_CAPABILITY_SIZE',
      /^all configmaps together are larger than what is held for policies$/,
    );
  }
  await until(() => states().get('configmaps')?.phase === 'stopped');
});

test('a kind that grows beyond what is held is let go', async () => {
  const { server, ask } = await setUp(4096);
  server.store.put('a/one', {});
  assert.deepEqual(names(await ask('kubernetes/list_resources_all', CONFIG_MAPS)), ['a/one']);
  for (let index = 0; index < 100; index += 1) server.store.put('a/one', { data: { x: String(index) } });
  server.store.put('a/two', { data: { x: 'y'.repeat(5000) } });
  await until(async () => isFault(await ask('kubernetes/list_resources_all', CONFIG_MAPS)));
  assertFault(await ask('kubernetes/list_resources_all', CONFIG_MAPS), 'PC_CAPABILITY_SIZE');
});

test('who may do what is asked of the API server, and once within seconds', async () => {
  const bench = await setUp(undefined, { allowed: false, reason: 'no', denied: true, extra: 1 });
  const review = {
    user: 'ana',
    groups: ['staff'],
    resource_attributes: { verb: 'get', resource: 'pods', group: null, namespace: 'a' },
  };
  const input = { subject_access_review: review, disable_cache: false };
  const expected = { allowed: false, denied: true, reason: 'no' };
  assert.deepEqual(await bench.ask('kubernetes/can_i', input), expected);
  assert.deepEqual(await bench.ask('kubernetes/can_i', input), expected);
  assert.deepEqual(bench.reviews, [
    { user: 'ana', groups: ['staff'], resourceAttributes: { namespace: 'a', verb: 'get', resource: 'pods' } },
  ]);
  await bench.ask('kubernetes/can_i', { ...input, disable_cache: true });
  assert.equal(bench.reviews.length, 2);
  const silent = await setUp(undefined, {});
  assertFault(await silent.ask('kubernetes/can_i', input), 'PC_KUBE_ANSWER');
});

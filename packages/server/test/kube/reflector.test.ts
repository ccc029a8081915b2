import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Reflector, ReflectorOptions } from '../../src/kube/reflector/reflector-types.ts';
import { createReflector } from '../../src/kube/reflector/create-reflector.ts';
import type { KubeClient } from '../../src/kube/kube-client.ts';
import { createFakeKubeHost, type FakeKubeHost } from './support/fake-kube-host.ts';
import {
  startFakeKubeServer,
  type FakeKubeServer,
  type FakeKubeServerOptions,
} from './support/fake-kube-server.ts';
import { CONFIGMAPS, openClient } from './support/open-client.ts';
import { until } from './support/until.ts';

/** A server, a client and a reflector whose time stands still until it is advanced. */
interface Bench {
  readonly server: FakeKubeServer;
  readonly host: FakeKubeHost;
  readonly client: KubeClient;
  readonly reflector: Reflector<string>;
  /** What was told: `added a/1`. */
  readonly told: string[];
}

const open: Bench[] = [];

async function setUp(
  serverOptions: FakeKubeServerOptions = {},
  overrides: Partial<ReflectorOptions<string>> = {},
): Promise<Bench> {
  const server = await startFakeKubeServer(serverOptions);
  const host = createFakeKubeHost();
  const client = openClient(server, host);
  const reflector = createReflector({
    client,
    runtime: host,
    resource: CONFIGMAPS,
    project: (object) => JSON.stringify(object['data'] ?? {}),
    ...overrides,
  });
  const told: string[] = [];
  reflector.subscribe((change) =>
    told.push(change.type === 'synced' ? 'synced' : `${change.type} ${change.key}`),
  );
  const bench = { server, host, client, reflector, told };
  open.push(bench);
  return bench;
}

/** Only the queries, without what is random or the same in all. */
function asked({ requests }: FakeKubeServer): string[] {
  return requests.map((request) => {
    const url = new URL(request.replace('GET ', ''), 'https://fake');
    url.searchParams.delete('timeoutSeconds');
    url.searchParams.delete('allowWatchBookmarks');
    return url.searchParams.toString();
  });
}

const isWatching =
  ({ reflector, server }: Bench) =>
  (): boolean =>
    reflector.state().phase === 'watching' && server.watches() === 1;
const isWaiting =
  ({ reflector }: Bench) =>
  (): boolean =>
    reflector.state().phase === 'waiting';

after(async () => {
  for (const { reflector, client, server } of open) {
    await reflector.stop();
    client.close();
    await server.close();
  }
});

test('the objects come by watch, and events follow on the same connection', async () => {
  const bench = await setUp();
  const { server, reflector, told } = bench;
  server.store.put('a/1', { data: { x: '1' } });
  assert.deepEqual(reflector.state().synced, false);
  reflector.start();
  await reflector.synced;
  assert.deepEqual(told, ['added a/1', 'synced']);
  server.store.put('a/2', {});
  server.store.put('a/1', { data: { x: '2' } });
  server.store.remove('a/2');
  await until(() => told.length === 5, 'three events');
  assert.deepEqual(told.slice(2), ['added a/2', 'changed a/1', 'deleted a/2']);
  assert.equal(reflector.get('a/1'), '{"x":"2"}');
  assert.deepEqual(asked(server), ['watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan']);
  assert.equal(reflector.state().resourceVersion, String(server.store.version()));
});

test('a server that does not send objects by watch is listed from its cache, and not asked again', async () => {
  const bench = await setUp({ watchList: false });
  const { server, reflector, host } = bench;
  server.store.put('a/1', {});
  reflector.start();
  await until(isWatching(bench), 'the watch');
  assert.deepEqual(asked(server), [
    'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan',
    'limit=500&resourceVersion=0',
    'watch=true&resourceVersion=101',
  ]);
  server.sendLine('{"type":"ERROR","object":{"kind":"Status","code":410}}');
  await until(isWaiting(bench), 'the pause');
  assert.equal(reflector.state().problem?.code, 'PC_KUBE_GONE');
  host.advance(800);
  await until(isWatching(bench), 'the watch again');
  assert.deepEqual(asked(server).slice(3), ['resourceVersion=101', 'watch=true&resourceVersion=101']);
  assert.equal(reflector.state().problem, undefined);
  assert.equal(reflector.state().restarts.expired, 1);
});

test('a server that lost the thread inside a watch is listed again', async () => {
  const bench = await setUp({}, { initial: 'list' });
  const { server, reflector, host } = bench;
  server.store.put('a/1', {});
  reflector.start();
  await until(isWatching(bench), 'the watch');
  const before = asked(server).length;
  server.sendLine('{"type":"ERROR","object":{"kind":"Status","code":500}}');
  await until(isWaiting(bench), 'the pause');
  assert.equal(reflector.state().problem?.code, 'PC_KUBE_SERVER');
  host.advance(800);
  await until(isWatching(bench), 'the watch again');
  assert.match(asked(server)[before] ?? '', /^(?!watch=true)/);
  assert.equal(reflector.state().restarts.error, 1);
});

test('a compacted version is listed again with pages of the newest, and what vanished is told', async () => {
  const bench = await setUp({}, { initial: 'list' });
  const { server, reflector, host, told } = bench;
  for (let index = 0; index < 3; index++) server.store.put(`a/${index}`, {});
  reflector.start();
  await until(isWatching(bench), 'the watch');
  server.store.remove('a/1');
  await until(() => told.includes('deleted a/1'), 'the deletion');
  server.onRequest = (_, url) =>
    url.searchParams.get('resourceVersion') === '104' ? { kind: 'status', status: 410 } : undefined;
  server.cut();
  await until(() => reflector.state().restarts.broken === 1, 'the cut');
  server.store.remove('a/0');
  server.store.put('b/0', {});
  told.length = 0;
  host.advance(400);
  await until(isWatching(bench), 'the watch again');
  assert.deepEqual(told, ['deleted a/0', 'added b/0', 'synced']);
  assert.deepEqual(asked(server).slice(-3), [
    'limit=1&resourceVersion=104&resourceVersionMatch=NotOlderThan',
    'limit=500',
    'watch=true&resourceVersion=106',
  ]);
});

test('pages whose version expires under way give way to one whole answer', async () => {
  const bench = await setUp({ pageAtZero: true }, { initial: 'list' });
  const { server, reflector, told } = bench;
  for (let index = 0; index < 1200; index++) server.store.put(`a/${index}`, {});
  let pages = 0;
  server.onRequest = (_, url) => {
    if (!url.searchParams.has('continue')) return undefined;
    pages += 1;
    if (pages === 2) server.store.put('a/late', {});
    return pages === 2 ? { kind: 'status', status: 410 } : undefined;
  };
  reflector.start();
  await reflector.synced;
  assert.deepEqual(asked(server).slice(0, 4), [
    'limit=500&resourceVersion=0',
    'limit=500&continue=1300.500',
    'limit=500&continue=1300.1000',
    '',
  ]);
  assert.equal(reflector.state().items, 1201);
  assert.equal(told.filter((line) => line === 'synced').length, 1);
});

test('a bookmark moves the version, and a watch that ends in order goes on from there', async () => {
  const bench = await setUp({}, { namespace: 'a' });
  const { server, reflector } = bench;
  reflector.start();
  await until(isWatching(bench), 'the watch');
  // Of another namespace: no event of ours.
  server.store.put('b/1', {});
  const version = String(server.store.version());
  assert.notEqual(reflector.state().resourceVersion, version);
  server.sendBookmarks();
  await until(() => reflector.state().resourceVersion === version, 'the bookmark');
  bench.host.advance(1500);
  server.endWatches();
  await until(() => server.requests.length === 2, 'the next watch');
  assert.equal(asked(server)[1], `watch=true&resourceVersion=${version}`);
  assert.equal(reflector.state().restarts.ended, 1);
});

test('a watch that ends at once and without events is a problem', async () => {
  const bench = await setUp({ watchList: false });
  const { server, reflector } = bench;
  server.onBody = (url) => (url.searchParams.get('watch') === 'true' ? { kind: 'end', after: 0 } : undefined);
  reflector.start();
  await until(() => server.watches() === 1, 'the watch');
  server.endWatches();
  await until(isWaiting(bench), 'the pause');
  assert.equal(reflector.state().restarts.empty, 1);
  assert.equal(reflector.state().problem?.message, 'the watch ended at once and without events');
});

test('a busy server is left alone for as long as it says, and the version is kept', async () => {
  const bench = await setUp();
  const { server, reflector, host } = bench;
  server.store.put('a/1', {});
  reflector.start();
  await until(isWatching(bench), 'the watch');
  server.onRequest = () => ({ kind: 'status', status: 429, retryAfter: 7 });
  host.advance(1500);
  server.endWatches();
  await until(isWaiting(bench), 'the pause');
  assert.equal(reflector.state().problem?.code, 'PC_KUBE_THROTTLED');
  server.onRequest = () => undefined;
  const count = server.requests.length;
  host.advance(6900);
  assert.equal(server.requests.length, count);
  host.advance(100);
  await until(isWatching(bench), 'the watch again');
  assert.equal(asked(server).at(-1), 'watch=true&resourceVersion=101');
});

test('a server that was replaced unnoticed does not know the version: everything is listed again', async () => {
  const bench = await setUp();
  const { server, reflector, host, told } = bench;
  server.store.put('a/1', { data: { x: 'old' } });
  server.store.put('a/2', {});
  reflector.start();
  await until(isWatching(bench), 'the watch');
  told.length = 0;
  server.store.replace({ 'a/1': { x: 'new' } });
  server.cut();
  await until(() => reflector.state().restarts.broken === 1, 'the cut');
  host.advance(400);
  await until(isWatching(bench), 'the watch again');
  assert.deepEqual(told, ['deleted a/2', 'changed a/1', 'synced']);
});

test('a line that cannot be read ends the stream, which goes on from the last event', async () => {
  const bench = await setUp();
  const { server, reflector, host } = bench;
  reflector.start();
  await until(isWatching(bench), 'the watch');
  server.store.put('a/1', {});
  server.sendLine('{"type":"ADDED","object":{"metadata":{"name":"half');
  server.store.put('a/2', {});
  await until(isWaiting(bench), 'the pause');
  assert.equal(
    reflector.state().problem?.message,
    'cannot watch `configmaps`: a line of the watch is not a JSON object',
  );
  assert.equal(reflector.get('a/2'), undefined);
  host.advance(800);
  await until(() => reflector.get('a/2') !== undefined, 'the event');
  assert.equal(asked(server).at(-1), 'watch=true&resourceVersion=101');
});

test('a dead connection is noticed by its silence, and the set stays meanwhile', async () => {
  const bench = await setUp();
  const { server, reflector, host } = bench;
  server.store.put('a/1', {});
  server.onBody = () => ({ kind: 'stall', after: 1e6 });
  reflector.start();
  await until(isWatching(bench), 'the watch');
  host.advance(100_000);
  server.sendBookmarks();
  await until(() => reflector.state().staleness === 0, 'the bookmark');
  host.jump(-86_400_000);
  host.advance(149_000);
  assert.equal(reflector.state().phase, 'watching');
  assert.equal(reflector.state().staleness, 149_000);
  host.advance(1000);
  await until(isWaiting(bench), 'the pause');
  assert.equal(reflector.state().problem?.code, 'PC_KUBE_TIMEOUT');
  assert.equal(reflector.get('a/1'), '{}');
  assert.equal(reflector.state().synced, true);
  host.advance(800);
  await until(isWatching(bench), 'the watch again');
  assert.equal(reflector.state().restarts.silent, 1);
});

test('a kind that is missing is shown, tried slowly, and comes when it comes', async () => {
  const bench = await setUp();
  const { server, reflector, host } = bench;
  server.onRequest = () => ({ kind: 'status', status: 404 });
  reflector.start();
  await until(isWaiting(bench), 'the pause');
  assert.equal(reflector.state().problem?.code, 'PC_KUBE_NOT_FOUND');
  assert.equal(reflector.state().synced, false);
  const count = server.requests.length;
  host.advance(5000);
  assert.equal(server.requests.length, count);
  server.onRequest = () => undefined;
  host.advance(5000);
  await reflector.synced;
  assert.equal(reflector.state().restarts.refused, 1);
});

test('one namespace and one object can be followed alone', async () => {
  const bench = await setUp({}, { namespace: 'a', fieldSelector: 'metadata.name=1', labelSelector: 'x=y' });
  const { server, reflector } = bench;
  server.store.put('a/1', {});
  server.store.put('b/1', {});
  reflector.start();
  await reflector.synced;
  assert.deepEqual(
    [...reflector.items()].map(([key]) => key),
    ['a/1'],
  );
  assert.match(
    server.requests[0] ?? '',
    /^GET \/api\/v1\/namespaces\/a\/configmaps\?labelSelector=x%3Dy&fieldSelector=metadata.name%3D1&/,
  );
});

test('neither a bad projection nor a bad subscriber stops it', async () => {
  const bench = await setUp(
    {},
    {
      project: (object) => {
        if (object.metadata.name === 'bad') throw new Error('projection');
        return object.metadata.name === 'ignored' ? undefined : 'kept';
      },
    },
  );
  const { server, reflector, host, told } = bench;
  reflector.subscribe(() => {
    throw new Error('subscriber');
  });
  for (const name of ['bad', 'good', 'ignored']) server.store.put(`a/${name}`, {});
  reflector.start();
  await reflector.synced;
  assert.deepEqual(told, ['added a/good', 'synced']);
  assert.ok(
    host.lines.some(({ message }) => message === 'an object of a watched resource could not be read'),
  );
  assert.ok(host.lines.some(({ message }) => message === 'a subscriber of a watched resource failed'));
});

test('after it is stopped nothing is told and no timer is left', async () => {
  const bench = await setUp();
  const { server, reflector, host, told } = bench;
  reflector.start();
  await until(isWatching(bench), 'the watch');
  await reflector.stop();
  assert.equal(reflector.state().phase, 'stopped');
  assert.equal(host.timers(), 0);
  told.length = 0;
  server.store.put('a/1', {});
  await until(() => server.watches() === 0, 'the end of the watch');
  assert.deepEqual(told, []);
  assert.throws(() => reflector.start(), TypeError);
});

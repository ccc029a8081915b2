import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import { Secret } from '../../src/kernel/secret.ts';
import type { KubeIdentity } from '../../src/kube/connection/kube-connection.ts';
import type { KubeClient } from '../../src/kube/kube-client.ts';
import { makeCertificate } from '../support/make-certificate.ts';
import { createFastRuntime } from './support/fast-runtime.ts';
import { startFakeKubeServer, type FakeKubeServer, type RequestFault } from './support/fake-kube-server.ts';
import { CONFIGMAPS, fault, openClient, value } from './support/open-client.ts';

const TOKEN = 's3cr3t-t0ken';
const runtime = createFastRuntime(20, () => 0.5);
const target = { resource: CONFIGMAPS, namespace: 'a', name: '1' };
let server: FakeKubeServer;
let client: KubeClient;

before(async () => {
  server = await startFakeKubeServer();
  client = openClient(
    server,
    runtime,
    identified({ ca: server.caPem, authorization: new Secret(`Bearer ${TOKEN}`) }),
  );
});
beforeEach(() => {
  server.onRequest = () => undefined;
  server.onBody = () => undefined;
  server.tokens = undefined;
  server.store.put('a/1', { data: { x: 'y' } });
});
after(async () => {
  client.close();
  await server.close();
});

function identified(identity: KubeIdentity, renewed = identity): Parameters<typeof openClient>[2] {
  let current = identity;
  return {
    identity: () => Promise.resolve(current),
    renew: () => Promise.resolve((current = renewed)),
  };
}

/** The faults of the first requests; then the server serves. */
function first(...faults: readonly RequestFault[]): () => number {
  let count = 0;
  server.onRequest = () => faults[count++];
  return () => count;
}

test('objects are read, made, replaced and deleted', async () => {
  assert.deepEqual(value(await client.get(target))['data'], { x: 'y' });
  const made = value(
    await client.create({ resource: CONFIGMAPS, namespace: 'a' }, { metadata: { name: 'new' } }),
  );
  assert.equal(made.metadata.name, 'new');
  const again = await client.create({ resource: CONFIGMAPS, namespace: 'a' }, { metadata: { name: 'new' } });
  assert.equal(fault(again).code, 'PC_KUBE_CONFLICT');
  assert.equal(fault(again).data['reason'], 'AlreadyExists');
  const place = { ...target, name: 'new' };
  value(await client.update(place, made));
  assert.equal(fault(await client.update(place, made)).code, 'PC_KUBE_CONFLICT');
  assert.equal(await client.delete(place), undefined);
  assert.equal(fault(await client.delete(place)).code, 'PC_KUBE_NOT_FOUND');
});

test('a list comes in pages, and its items get the kind that the list has taken from them', async () => {
  for (let index = 0; index < 1100; index++) server.store.put(`many/${index}`, {});
  const count = server.requests.length;
  const items = value(await client.list({ resource: CONFIGMAPS, namespace: 'many' }));
  assert.equal(items.length, 1100);
  assert.equal(server.requests.length - count, 3);
  assert.ok(items.every(({ kind, apiVersion }) => kind === 'ConfigMap' && apiVersion === 'v1'));
});

const STATUSES: readonly (readonly [status: number, code: string])[] = [
  [302, 'PC_KUBE_ANSWER'],
  [400, 'PC_KUBE_INVALID'],
  [403, 'PC_KUBE_FORBIDDEN'],
  [404, 'PC_KUBE_NOT_FOUND'],
  [405, 'PC_KUBE_INVALID'],
  [409, 'PC_KUBE_CONFLICT'],
  [410, 'PC_KUBE_GONE'],
  [422, 'PC_KUBE_INVALID'],
  [429, 'PC_KUBE_THROTTLED'],
  [500, 'PC_KUBE_SERVER'],
  [504, 'PC_KUBE_SERVER'],
];
for (const [status, code] of STATUSES) {
  test(`status ${status} is ${code}`, async () => {
    first({ kind: 'status', status, body: { kind: 'Status', message: 'because\nof\u0007it' } });
    const found = fault(await client.get(target));
    assert.equal(found.code, code);
    assert.equal(found.message, 'cannot get `configmaps` `a/1`: because of it');
    assert.equal(found.data['status'], status);
  });
}

test('a message is cut, and an answer that is no Status is told by its number', async () => {
  first({ kind: 'status', status: 500, body: { kind: 'Status', message: 'x'.repeat(5000) } });
  assert.ok(fault(await client.get(target)).message.length < 1100);
  first({ kind: 'status', status: 500, body: { message: 'from a proxy' } });
  assert.equal(
    fault(await client.get(target)).message,
    'cannot get `configmaps` `a/1`: the server answered 500',
  );
});

test('a busy server is asked again after the time that it names, whatever the verb', async () => {
  const busy: RequestFault = { kind: 'status', status: 429, retryAfter: 1 };
  const count = first(busy, busy);
  value(await client.create({ resource: CONFIGMAPS, namespace: 'a' }, { metadata: { name: 'patient' } }));
  assert.equal(count(), 3);
  const always = first(busy, busy, busy, busy, busy);
  const found = fault(await client.get(target));
  assert.equal(found.code, 'PC_KUBE_THROTTLED');
  assert.equal(found.data['retryAfter'], 1);
  assert.equal(always(), 4);
});

test('a server that wants more time than there is gets no further attempt', async () => {
  const count = first({ kind: 'status', status: 503, retryAfter: 3600 });
  assert.equal(fault(await client.get(target)).code, 'PC_KUBE_SERVER');
  assert.equal(count(), 1);
});

test('a broken connection is tried again only when twice is like once', async () => {
  const reading = first({ kind: 'reset' }, { kind: 'reset' });
  value(await client.get(target));
  assert.ok(reading() >= 3);
  const making = first({ kind: 'reset' });
  const made = await client.create({ resource: CONFIGMAPS, namespace: 'a' }, { metadata: { name: 'once' } });
  assert.equal(fault(made).code, 'PC_KUBE_UNREACHABLE');
  assert.equal(making(), 1);
});

test('a server that does not answer, falls silent, or is not there', async () => {
  first({ kind: 'mute' });
  assert.equal(
    fault(await client.get(target, { timeout: 1000 })).message,
    'cannot get `configmaps` `a/1`: no answer within 1 s',
  );
  server.onRequest = () => undefined;
  server.onBody = () => ({ kind: 'stall', after: 40 });
  const listed = await client.list({ resource: CONFIGMAPS });
  assert.equal(fault(listed).message, 'cannot list `configmaps`: nothing came for 30 s');
  const nobody = openClient({ url: 'https://127.0.0.1:1', caPem: server.caPem }, runtime);
  const refused = fault(await nobody.get(target));
  assert.equal(refused.code, 'PC_KUBE_UNREACHABLE');
  assert.equal(refused.message, 'cannot get `configmaps` `a/1`: the connection was refused');
});

test('whoever stops waiting gets a fault at once', async () => {
  first({ kind: 'mute' });
  const stopping = new AbortController();
  const answer = client.get(target, { signal: stopping.signal });
  setTimeout(() => stopping.abort(), 20);
  assert.equal(fault(await answer).code, 'PC_KUBE_ABORTED');
  assert.equal(fault(await client.get(target, { signal: stopping.signal })).code, 'PC_KUBE_ABORTED');
});

for (const kind of ['cut', 'end'] as const) {
  test(`a list that is ${kind === 'cut' ? 'cut off' : 'ended too early'} is a fault, not a shorter list`, async () => {
    for (let after_ = 1; after_ < 60; after_ += 7) {
      server.onBody = () => ({ kind, after: after_ });
      const found = fault(await client.list({ resource: CONFIGMAPS, namespace: 'a' }));
      assert.equal(found.code, kind === 'cut' ? 'PC_KUBE_UNREACHABLE' : 'PC_KUBE_ANSWER');
    }
  });
}

test('new credentials are tried once, the same ones not again', async () => {
  server.tokens = ['new'];
  const old = { ca: server.caPem, authorization: new Secret('Bearer old') };
  const renewed = { ...old, authorization: new Secret('Bearer new') };
  const changing = openClient(server, runtime, identified(old, renewed));
  let count = server.requests.length;
  value(await changing.get(target));
  assert.equal(server.requests.length - count, 2);
  const stuck = openClient(server, runtime, identified(old));
  count = server.requests.length;
  assert.equal(fault(await stuck.get(target)).code, 'PC_KUBE_UNAUTHORIZED');
  assert.equal(server.requests.length - count, 1);
  changing.close();
  stuck.close();
});

test('a server with an authority that we do not trust: the newest is read, then it is a fault that says so', async () => {
  const { cert } = await makeCertificate();
  const wrong = { ca: cert };
  const changing = openClient(server, runtime, identified(wrong, { ca: server.caPem }));
  value(await changing.get(target));
  const stuck = openClient(server, runtime, identified(wrong));
  const found = fault(await stuck.get(target));
  assert.equal(found.code, 'PC_KUBE_UNREACHABLE');
  assert.match(found.message, /certificate/);
  changing.close();
  stuck.close();
});

test('a token or a certificate that cannot be sent is a fault', async () => {
  for (const identity of [
    { ca: server.caPem, authorization: new Secret(`Bearer ${TOKEN}\nx: y`) },
    { ca: server.caPem, certificate: { cert: 'no PEM', key: new Secret(TOKEN) } },
  ]) {
    const broken = openClient(server, runtime, identified(identity));
    const found = fault(await broken.get(target));
    assert.equal(found.code, 'PC_KUBE_CREDENTIALS', found.message);
    assert.ok(!`${found.message}${JSON.stringify(found.data)}`.includes(TOKEN));
    broken.close();
  }
});

test('no fault knows the token', async () => {
  const answers = [];
  for (const one of [{ kind: 'reset' }, { kind: 'status', status: 500 }] as const) {
    server.onRequest = () => one;
    answers.push(await client.get(target));
  }
  server.tokens = [];
  server.onRequest = () => undefined;
  answers.push(await client.get(target));
  for (const answer of answers) {
    const { message, stack, data, cause } = fault(answer);
    const text = `${message}${stack}${JSON.stringify(data)}${String(cause)}`;
    assert.ok(!text.includes(TOKEN), text);
  }
});

test('any path can be read', async () => {
  first({ kind: 'status', status: 503, body: { ok: false } });
  assert.deepEqual(value(await client.raw('/readyz?verbose')), { status: 503, text: '{"ok":false}' });
  await assert.rejects(client.raw('readyz'), TypeError);
});

test('apply needs a manager', () => {
  assert.throws(() => void client.patch(target, { type: 'apply', body: {} }), TypeError);
});

test('a name that is no name is a fault', async () => {
  const answer = await client.get({ ...target, name: '..' });
  assert.ok(isFault(answer));
  assert.equal(answer.code, 'PC_KUBE_INVALID');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { assertFault, keychainOf, LAYER, me, setUp } from './client-setup.ts';
import { descriptor, startFakeRegistry } from './fake-registry.ts';

test('a redirect to another origin gets no credentials, one inside the origin keeps them', async (t) => {
  const { registry, client, at } = await setUp(t, { keychain: keychainOf(me) });
  const store = await startFakeRegistry();
  t.after(() => store.close());
  const blob = descriptor('x', LAYER);
  let target = `${store.origin}/signed?key=hunter2`;
  registry.intercept = ({ request, response, url }) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    } else if (url.pathname === '/inside') response.writeHead(200).end(LAYER);
    else response.writeHead(307, { location: target }).end();
    return true;
  };
  store.intercept = ({ response }) => {
    response.writeHead(200).end(LAYER);
    return true;
  };
  assert.deepEqual(await client.blob(at('p:1'), blob, 100), LAYER);
  assert.deepEqual(store.authorizations, ['']);
  store.intercept = ({ response }) => {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    return true;
  };
  assertFault(await client.blob(at('p:1'), blob, 100), 'PC_OCI_UNAUTHORIZED');
  assert.deepEqual(store.authorizations, ['', '']);
  target = '/inside';
  assert.deepEqual(await client.blob(at('p:1'), blob, 100), LAYER);
  for (target of ['ftp://x/y', 'http://user:hunter2@127.0.0.1/', 'http://[', '/v2/p/blobs/again']) {
    assertFault(await client.blob(at('p:1'), blob, 100), 'PC_OCI_ANSWER');
  }
});

test('a redirect does not lead to the addresses of the machine, or into a network that is not open', async (t) => {
  const { registry, client, at } = await setUp(t);
  for (const target of ['http://169.254.169.254/latest', 'http://10.0.0.1/', 'http://[::ffff:10.0.0.1]/']) {
    registry.intercept = ({ response }) => {
      response.writeHead(307, { location: target }).end();
      return true;
    };
    assertFault(await client.blob(at('p:1'), descriptor('x', LAYER), 100), 'PC_OCI_ADDRESS');
  }
});

test('a registry with a private address has to be allowed', async (t) => {
  const { client } = await setUp(t, { plainHttp: () => false });
  const reference = parseReference('127.0.0.1:1/p:1');
  const named = parseReference('localhost:1/p:1');
  assert.ok(!isFault(reference) && !isFault(named));
  assertFault(await client.digest(reference), 'PC_OCI_ADDRESS');
  assertFault(await client.digest(named), 'PC_OCI_ADDRESS');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOciClient } from '../../src/oci/create-oci-client.ts';
import { assertFault, fakeRuntime, LAYER, me, referenceTo, setUp } from './client-setup.ts';
import { descriptor, refuse, startFakeRegistry } from './fake-registry.ts';

test('mirrors are asked first, with their own credentials, and checked', async (t) => {
  const mirror = await startFakeRegistry();
  t.after(() => mirror.close());
  const { registry } = await setUp(t);
  const asked: string[] = [];
  const client = createOciClient({
    runtime: fakeRuntime().runtime,
    keychain: {
      async find(host) {
        asked.push(host);
        return host === registry.host ? me : undefined;
      },
    },
    timeout: 20_000,
    allowPrivate: false,
    mirrors: [{ registry: registry.host, endpoints: [`${mirror.origin}/cache/`] }],
    plainHttp: () => true,
    userAgent: 'portcullis-test',
  });
  t.after(() => client.close());
  const reference = referenceTo(registry, 'team/p:1');
  const digest = mirror.put('cache/team/p', '1', LAYER);
  let namespace: string | null = '';
  mirror.intercept = ({ url }) => {
    namespace = url.searchParams.get('ns');
    return false;
  };
  assert.equal(await client.digest(reference), digest);
  assert.equal(namespace, registry.host);
  assert.deepEqual([registry.seen, asked], [[], [mirror.host]]);

  registry.put('team/p', '1', LAYER);
  mirror.intercept = ({ response }) => {
    response.writeHead(200).end('b module');
    return true;
  };
  assert.deepEqual(await client.blob(reference, descriptor('x', LAYER), 100), LAYER);
  mirror.intercept = ({ response }) => refuse(response, 404);
  registry.intercept = ({ response }) => refuse(response, 403);
  const fault = assertFault(await client.digest(reference), 'PC_OCI_FORBIDDEN');
  assert.match(fault.message, /\(mirrors: `http:\/\/127/);
  assert.deepEqual(new Set(mirror.authorizations), new Set(['']));
});

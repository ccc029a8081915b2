import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import { assertFault, INDEX_TYPE, keychainOf, LAYER, me, setUp } from './client-setup.ts';
import { descriptor, digestOf, MANIFEST_TYPE } from './fake-registry.ts';

test('referrers by the API with pages, and by the tag that stands in for it', async (t) => {
  const { registry, client, at } = await setUp(t);
  const digest = `sha256:${'a'.repeat(64)}`;
  const entries = ['sig', 'sbom', 'sig'].map((artifactType, index) => ({
    ...descriptor(MANIFEST_TYPE, Buffer.from(`${index}`)),
    artifactType,
  }));
  const index = (manifests: unknown) => Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
  registry.intercept = ({ response, url }) => {
    if (!url.pathname.startsWith('/v2/p/referrers/')) return false;
    const isSecond = url.searchParams.has('page');
    response.setHeader('content-type', INDEX_TYPE);
    if (!isSecond) response.setHeader('link', `<${url.pathname}?page=2>; rel="next"`);
    response.end(index(isSecond ? entries.slice(2) : entries.slice(0, 2)));
    return true;
  };
  const reference = { ...at('p:1'), digest };
  const found = await client.referrers(reference, { artifactType: 'sig' });
  assert.ok(!isFault(found));
  assert.deepEqual(
    found.map((entry) => entry.digest),
    [entries[0]?.digest, entries[2]?.digest],
  );
  registry.intercept = () => false;
  assert.deepEqual(await client.referrers(reference), []);
  registry.manifests.set(`p sha256-${'a'.repeat(64)}`, { type: INDEX_TYPE, bytes: index(entries) });
  const byTag = await client.referrers(reference, { artifactType: 'sbom' });
  assert.ok(!isFault(byTag));
  assert.deepEqual(
    byTag.map(({ artifactType }) => artifactType),
    ['sbom'],
  );
});

test('a push asks for the right to push, and sends what is not there', async (t) => {
  const { registry, client, at } = await setUp(t, { keychain: keychainOf(me) });
  let scope: string | null = null;
  registry.intercept = ({ request, response, url }) => {
    if (url.pathname === '/token') {
      scope = url.searchParams.get('scope');
      response.writeHead(200).end('{"token":"t"}');
      return true;
    }
    if (request.headers.authorization === 'Bearer t') return false;
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${registry.origin}/token"` }).end();
    return true;
  };
  const digest = await client.pushBlob(at('team/p:1'), LAYER);
  assert.equal(digest, digestOf(LAYER));
  assert.equal(scope, 'repository:team/p:pull,push');
  assert.deepEqual(registry.blobs.get(`team/p ${digestOf(LAYER)}`), LAYER);
  const before = registry.seen.length;
  await client.pushBlob(at('team/p:1'), LAYER);
  assert.deepEqual(registry.seen.slice(before), [`HEAD /v2/team/p/blobs/${digestOf(LAYER)}`]);
  const manifest = { bytes: Buffer.from('{"schemaVersion":2}'), mediaType: MANIFEST_TYPE };
  assert.equal(await client.pushManifest(at('team/p:1'), manifest), digestOf(manifest.bytes));
  assert.deepEqual(registry.manifests.get('team/p 1'), { type: MANIFEST_TYPE, bytes: manifest.bytes });
  const wrong = { ...at('team/p:1'), digest: digestOf(LAYER) };
  assertFault(await client.pushManifest(wrong, manifest), 'PC_OCI_DIGEST');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import { assertFault, INDEX_TYPE, LAYER, setUp } from './client-setup.ts';
import { descriptor, digestOf, MANIFEST_TYPE, refuse } from './fake-registry.ts';

test('manifest, configuration and blob by tag and by digest', async (t) => {
  const { registry, client, at } = await setUp(t);
  const digest = registry.put('team/policy', '1', LAYER);
  assert.equal(await client.digest(at('team/policy:1')), digest);
  const manifest = await client.manifest(at(`team/policy@${digest}`));
  assert.ok(!isFault(manifest) && manifest.content.kind === 'manifest');
  assert.equal(digestOf(manifest.bytes), digest);
  const [layer] = manifest.content.layers;
  assert.ok(layer);
  assert.deepEqual(await client.blob(at('team/policy:1'), layer, 100), LAYER);
  const configuration = await client.configuration(at('team/policy:1'));
  assert.ok(!isFault(configuration));
  assert.equal(Buffer.from(configuration.bytes).toString(), '{}');
});

test('a digest is its own answer', async (t) => {
  const { registry, client, at } = await setUp(t);
  const digest = `sha256:${'a'.repeat(64)}`;
  assert.equal(await client.digest(at(`x:1@${digest}`)), digest);
  assert.deepEqual(registry.seen, []);
});

test('a registry without a digest header, or without HEAD, is asked for the manifest', async (t) => {
  const { registry, client, at } = await setUp(t);
  const digest = registry.put('p', '1', LAYER);
  registry.intercept = ({ request, response }) => {
    if (request.method === 'HEAD') return refuse(response, 405, 'UNSUPPORTED');
    response.setHeader('docker-content-digest', '');
    response.writeHead(200, { 'content-type': MANIFEST_TYPE }).end(registry.manifests.get('p 1')?.bytes);
    return true;
  };
  assert.equal(await client.digest(at('p:1')), digest);
  registry.intercept = ({ response }) => {
    response.writeHead(200, { 'content-type': MANIFEST_TYPE }).end(registry.manifests.get('p 1')?.bytes);
    return true;
  };
  assert.equal(await client.digest(at('p:1')), digest);
});

test('a manifest that is not what was asked for, or contradicts itself', async (t) => {
  const { registry, client, at } = await setUp(t);
  const digest = registry.put('p', '1', LAYER);
  const bytes = registry.manifests.get('p 1')?.bytes ?? Buffer.alloc(0);
  const answerWith = (body: string | Buffer, headers: Record<string, string> = {}) => {
    registry.intercept = ({ response }) => {
      response.writeHead(200, { 'content-type': MANIFEST_TYPE, ...headers }).end(body);
      return true;
    };
  };
  answerWith(`${bytes.toString()} `);
  assertFault(await client.manifest(at(`p@${digest}`)), 'PC_OCI_DIGEST');
  answerWith(bytes, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` });
  assertFault(await client.manifest(at('p:1')), 'PC_OCI_DIGEST');
  answerWith(bytes, { 'content-type': INDEX_TYPE });
  assertFault(await client.manifest(at('p:1')), 'PC_OCI_ANSWER');
  answerWith(bytes, { 'content-type': 'text/html' });
  assertFault(await client.manifest(at('p:1')), 'PC_OCI_ANSWER');
  for (const body of [
    '<html>',
    '[]',
    '{"schemaVersion":1}',
    '{"schemaVersion":2}',
    '{"schemaVersion":2,"config":{},"layers":[]}',
  ]) {
    answerWith(body);
    assertFault(await client.manifest(at('p:1')), 'PC_OCI_ANSWER');
  }
  answerWith(Buffer.alloc(5 * 1024 ** 2, ' '));
  assertFault(await client.manifest(at('p:1')), 'PC_OCI_SIZE');
});

test('blobs that are truncated, too long, other bytes, or over the cap', async (t) => {
  const { registry, client, at } = await setUp(t);
  const blob = descriptor('x', LAYER);
  const sent: (Buffer | string)[] = ['a mod', 'a module and more', 'b module'];
  const codes = ['PC_OCI_SIZE', 'PC_OCI_SIZE', 'PC_OCI_DIGEST'];
  for (const [index, body] of sent.entries()) {
    registry.intercept = ({ response }) => {
      // Without a length, so that the count of bytes decides.
      response.writeHead(200).write(body);
      response.end();
      return true;
    };
    assertFault(await client.blob(at('p:1'), blob, 100), codes[index] ?? '');
  }
  registry.intercept = ({ response }) => {
    response.writeHead(200, { 'content-length': '8' }).write('a mo');
    setImmediate(() => response.destroy());
    return true;
  };
  assertFault(await client.blob(at('p:1'), blob, 100), 'PC_OCI_UNREACHABLE');
  assertFault(await client.blob(at('p:1'), blob, 7), 'PC_OCI_SIZE');
});

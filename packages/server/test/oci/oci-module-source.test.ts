import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import { refuse } from './fake-registry.ts';
import { MINUTE, setUp } from './module-source-setup.ts';

const [ONE, TWO] = [Buffer.from('module one'), Buffer.from('module two')];

test('a module by digest is fetched once and never looked at again', async (t) => {
  const { registry, source, policy, pass } = await setUp(t);
  const digest = registry.put('team/p', '1', ONE);
  const pinned = policy(`team/p@${digest}`);
  source.watch(() => assert.fail('nothing changes'));
  const version = await source.version?.(pinned);
  assert.deepEqual(await source.fetch(pinned), ONE);
  const requests = registry.seen.length;
  assert.equal(requests, 2);
  await pass(60 * MINUTE);
  assert.equal(await source.version?.(pinned), version);
  assert.equal(registry.seen.length, requests);
});

test('a tag that moved is downloaded, then told', async (t) => {
  const { registry, source, policy, pass, logged } = await setUp(t);
  registry.put('team/p', '1', ONE);
  let changes = 0;
  const stop = source.watch(() => (changes += 1));
  const tagged = policy('team/p:1');
  const first = await source.version?.(tagged);
  assert.deepEqual(await source.fetch(tagged), ONE);
  await pass(5 * MINUTE);
  assert.equal(changes, 0);
  registry.put('team/p', '1', TWO);
  assert.equal(await source.version?.(tagged), first);
  await pass(5 * MINUTE);
  assert.equal(changes, 1);
  assert.notEqual(await source.version?.(tagged), first);
  // The bytes are there already.
  const requests = registry.seen.length;
  assert.deepEqual(await source.fetch(tagged), TWO);
  assert.equal(registry.seen.length, requests);
  assert.deepEqual(logged, ['info a tag has moved']);
  stop();
  registry.put('team/p', '1', ONE);
  await pass(5 * MINUTE);
  assert.equal(changes, 1);
});

test('a registry that is away changes nothing but the notes', async (t) => {
  const { registry, source, policy, pass, logged } = await setUp(t);
  const digest = registry.put('team/p', '1', ONE);
  let changes = 0;
  source.watch(() => (changes += 1));
  const tagged = policy('team/p:1');
  const version = await source.version?.(tagged);
  registry.put('team/p', '1', TWO);
  // It says that the tag has moved, and cannot give what it moved to.
  registry.intercept = ({ response, url }) => url.pathname.includes('/blobs/') && refuse(response, 403);
  await pass(5 * MINUTE);
  await pass(1000);
  assert.equal(await source.version?.(tagged), version);
  assert.equal(changes, 0);
  const [note = '', ...more] = source.notes(tagged);
  assert.equal(more.length, 0);
  assert.ok(
    note.startsWith(
      `\`${registry.host}/team/p:1\` could not be checked since 1970-01-01T00:05:00.000Z, its module of \`${digest}\` stays: `,
    ),
    note,
  );
  registry.intercept = () => false;
  await pass(MINUTE);
  assert.equal(changes, 1);
  assert.deepEqual(source.notes(tagged), []);
  assert.deepEqual(await source.fetch(tagged), TWO);
  assert.deepEqual(logged, [
    'warn a module cannot be fetched from its registry',
    'info a module can be fetched from its registry again',
    'info a tag has moved',
  ]);
});

test('what was never there is looked for by the clock, and nobody waits for it again', async (t) => {
  const { registry, source, policy, pass } = await setUp(t);
  let changes = 0;
  source.watch(() => (changes += 1));
  const tagged = policy('team/p:1');
  assert.equal(await source.version?.(tagged), undefined);
  const fault = await source.fetch(tagged);
  assert.ok(isFault(fault));
  assert.equal(fault.code, 'PC_OCI_NOT_FOUND');
  const requests = registry.seen.length;
  assert.equal(await source.version?.(tagged), undefined);
  assert.equal(await source.fetch(tagged), fault);
  assert.equal(registry.seen.length, requests);
  registry.put('team/p', '1', ONE);
  await pass(1000);
  assert.equal(changes, 1);
  assert.deepEqual(await source.fetch(tagged), ONE);
});

test('everything is looked at when everything is loaded anew', async (t) => {
  const { registry, source, policy } = await setUp(t);
  registry.put('team/p', '1', ONE);
  const tagged = policy('team/p:1');
  const first = await source.version?.(tagged);
  registry.put('team/p', '1', TWO);
  await source.refresh();
  assert.notEqual(await source.version?.(tagged), first);
});

test('what no policy asks for is followed no longer', async (t) => {
  const { registry, source, policy, pass } = await setUp(t);
  registry.put('team/p', '1', ONE);
  source.watch(() => undefined);
  await source.version?.(policy('team/p:1'));
  source.sweep();
  source.sweep();
  const requests = registry.seen.length;
  await pass(60 * MINUTE);
  assert.equal(registry.seen.length, requests);
});

for (const [name, layer, type, code] of [
  ['is too large', Buffer.alloc(1001), undefined, 'PC_OCI_SIZE'],
  ['is no artifact of a policy', ONE, 'application/vnd.oci.image.layer.v1.tar+gzip', 'PC_OCI_ARTIFACT'],
] as const) {
  test(`a module that ${name}`, async (t) => {
    const { registry, source, policy } = await setUp(t);
    registry.put('team/p', '1', layer, type);
    const fault = await source.fetch(policy('team/p:1'));
    assert.ok(isFault(fault));
    assert.equal(fault.code, code);
  });
}

test('the Wasm entry of an index, and modules as other tools push them', async (t) => {
  const { registry, source, policy } = await setUp(t);
  const digest = registry.put('team/p', 'x', ONE, 'application/wasm');
  const entry = (architecture: string, of: string) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: of,
    size: registry.manifests.get(`team/p ${digest}`)?.bytes.length,
    platform: { architecture, os: 'wasip1' },
  });
  const manifests = [entry('amd64', `sha256:${'0'.repeat(64)}`), entry('wasm', digest)];
  const type = 'application/vnd.oci.image.index.v1+json';
  registry.manifests.set('team/p 1', {
    type,
    bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })),
  });
  assert.deepEqual(await source.fetch(policy('team/p:1')), ONE);
});

test('what is no reference is a fault', async (t) => {
  const { source, policy } = await setUp(t);
  const fault = await source.fetch(policy('Team/P:1'));
  assert.ok(isFault(fault));
  assert.equal(fault.code, 'PC_OCI_REFERENCE');
});

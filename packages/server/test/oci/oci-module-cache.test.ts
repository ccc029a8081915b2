import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import type { DiskCache } from '../../src/sources/disk-cache/create-disk-cache.ts';
import { openTestCache } from '../support/test-cache.ts';
import { digestOf, MANIFEST_TYPE, refuse, type FakeRegistry } from './fake-registry.ts';
import { MINUTE, setUp, type Setup } from './module-source-setup.ts';

const [ONE, TWO] = [Buffer.from('module one'), Buffer.from('module two')];
const AWAY = [429, 500, 503];
const REFUSALS = [
  [401, 'PC_OCI_UNAUTHORIZED'],
  [403, 'PC_OCI_FORBIDDEN'],
  [404, 'PC_OCI_NOT_FOUND'],
] as const;

interface Restarted {
  readonly registry: FakeRegistry;
  readonly cache: DiskCache;
  readonly directory: string;
  /** A source that starts with what the one before has kept. */
  start(): Promise<Setup>;
}

/** A server had the module `ONE` under the tag `team/p:1`, and ended. */
async function hadModule(t: TestContext): Promise<Restarted> {
  const { cache, directory } = await openTestCache(t);
  const { registry, source, policy } = await setUp(t, { cache });
  registry.put('team/p', '1', ONE);
  assert.deepEqual(await source.fetch(policy('team/p:1')), ONE);
  return { registry, cache, directory, start: () => setUp(t, { registry, cache }) };
}

function silence(registry: FakeRegistry): void {
  registry.intercept = ({ request }) => {
    request.socket.destroy();
    return true;
  };
}

test('a digest that is in the cache needs no registry', async (t) => {
  const { registry, start } = await hadModule(t);
  const digest = registry.put('team/p', '1', ONE);
  const { source, policy } = await start();
  const requests = registry.seen.length;
  assert.deepEqual(await source.fetch(policy(`team/p@${digest}`)), ONE);
  assert.equal(registry.seen.length, requests);
  assert.deepEqual(source.notes(policy(`team/p@${digest}`)), []);
});

test('a tag costs one request when its module is in the cache', async (t) => {
  const { registry, start } = await hadModule(t);
  const { source, policy } = await start();
  const requests = registry.seen.length;
  assert.deepEqual(await source.fetch(policy('team/p:1')), ONE);
  assert.deepEqual(registry.seen.slice(requests), ['GET /v2/team/p/manifests/1']);
});

test('a tag whose registry is away is what it was, says so, and is followed', async (t) => {
  const { registry, start } = await hadModule(t);
  const digest = registry.put('team/p', '1', ONE);
  silence(registry);
  const { source, policy, pass, logged } = await start();
  const tagged = policy('team/p:1');
  let changes = 0;
  source.watch(() => (changes += 1));
  const version = await source.version?.(tagged);
  assert.deepEqual(await source.fetch(tagged), ONE);
  const [note = '', ...more] = source.notes(tagged);
  assert.equal(more.length, 0);
  assert.ok(
    note.startsWith(
      `\`${registry.host}/team/p:1\` could not be checked since 1970-01-01T00:00:00.000Z, \`${digest}\` from the cache is in force: `,
    ),
    note,
  );
  registry.intercept = () => false;
  registry.put('team/p', '1', TWO);
  await pass(2000);
  assert.equal(changes, 1);
  assert.notEqual(await source.version?.(tagged), version);
  assert.deepEqual(await source.fetch(tagged), TWO);
  assert.deepEqual(source.notes(tagged), []);
  assert.deepEqual(logged, [
    'warn a module comes from the cache: its registry is away',
    'info a module can be fetched from its registry again',
    'info a tag has moved',
  ]);
});

for (const status of AWAY) {
  test(`an answer ${status} says nothing of the tag: it is what it was`, async (t) => {
    const { registry, start } = await hadModule(t);
    registry.intercept = ({ response }) => refuse(response, status);
    const { source, policy } = await start();
    assert.deepEqual(await source.fetch(policy('team/p:1')), ONE);
  });
}

for (const [status, code] of REFUSALS) {
  test(`an answer ${status} is the word of the registry, whatever is in the cache`, async (t) => {
    const { registry, start } = await hadModule(t);
    registry.intercept = ({ response }) => refuse(response, status);
    const { source, policy } = await start();
    const fault = await source.fetch(policy('team/p:1'));
    assert.ok(isFault(fault));
    assert.equal(fault.code, code);
  });
}

test('a registry that comes back with a refusal changes the notes and the log', async (t) => {
  const { registry, start } = await hadModule(t);
  silence(registry);
  const { source, policy, pass, logged } = await start();
  const tagged = policy('team/p:1');
  source.watch(() => assert.fail('nothing changes'));
  assert.deepEqual(await source.fetch(tagged), ONE);
  registry.intercept = ({ response }) => refuse(response, 404);
  await pass(2000);
  assert.match(source.notes(tagged).join(), /answer 404/);
  assert.deepEqual(logged, [
    'warn a module comes from the cache: its registry is away',
    'warn a module cannot be fetched from its registry',
  ]);
});

test('the second tag of a registry that is away waits for nothing', async (t) => {
  const { cache, registry, start } = await hadModule(t);
  registry.put('team/q', '1', TWO);
  const before = await setUp(t, { registry, cache });
  assert.deepEqual(await before.source.fetch(before.policy('team/q:1')), TWO);
  silence(registry);
  const { source, policy } = await start();
  assert.deepEqual(await source.fetch(policy('team/p:1')), ONE);
  const requests = registry.seen.length;
  assert.deepEqual(await source.fetch(policy('team/q:1')), TWO);
  assert.equal(registry.seen.length, requests);
});

test('a registry that does not end its answer has the patience of a start', async (t) => {
  const { cache, registry } = await hadModule(t);
  registry.intercept = () => true;
  const { source, policy } = await setUp(t, { registry, cache, patience: 100 });
  assert.deepEqual(await source.fetch(policy('team/p:1')), ONE);
  assert.match(source.notes(policy('team/p:1')).join(), /took too long/);
});

test('an index that is named by its digest needs no registry either', async (t) => {
  const { registry, cache, start } = await hadModule(t);
  const digest = registry.put('team/p', 'x', TWO);
  const size = registry.manifests.get(`team/p ${digest}`)?.bytes.length;
  const entry = { mediaType: MANIFEST_TYPE, digest, size, platform: { architecture: 'wasm', os: 'wasip1' } };
  // Without a type of its own, which manifests may be.
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  const index = digestOf(bytes);
  registry.manifests.set(`team/p ${index}`, { type: 'application/vnd.oci.image.index.v1+json', bytes });
  const before = await setUp(t, { registry, cache });
  assert.deepEqual(await before.source.fetch(before.policy(`team/p@${index}`)), TWO);
  silence(registry);
  const { source, policy } = await start();
  assert.deepEqual(await source.fetch(policy(`team/p@${index}`)), TWO);
});

test('a damaged module is fetched again, and refused while the registry is away', async (t) => {
  const { directory, registry, start } = await hadModule(t);
  const path = join(directory, 'content', ...digestOf(ONE).split(':'));
  await writeFile(path, TWO);
  const again = await start();
  assert.deepEqual(await again.source.fetch(again.policy('team/p:1')), ONE);
  await writeFile(path, TWO);
  silence(registry);
  const { source, policy } = await start();
  const fault = await source.fetch(policy('team/p:1'));
  assert.ok(isFault(fault));
  assert.equal(fault.code, 'PC_OCI_UNREACHABLE');
});

test('what is in the cache is held to the cap of modules as everything else', async (t) => {
  const { cache } = await openTestCache(t);
  const large = Buffer.alloc(1001);
  const { registry, source, policy } = await setUp(t, { cache });
  const digest = registry.put('team/p', '1', large);
  await cache.write(digestOf(large), large);
  const fault = await source.fetch(policy(`team/p@${digest}`));
  assert.ok(isFault(fault));
  assert.equal(fault.code, 'PC_OCI_SIZE');
});

test('a tag that lost its module in the cache is refused while the registry is away, and comes later', async (t) => {
  const { directory, registry, start } = await hadModule(t);
  await rm(join(directory, 'content'), { recursive: true });
  silence(registry);
  const { source, policy, pass } = await start();
  source.watch(() => undefined);
  assert.ok(isFault(await source.fetch(policy('team/p:1'))));
  registry.intercept = () => false;
  await pass(MINUTE);
  assert.deepEqual(await source.fetch(policy('team/p:1')), ONE);
});

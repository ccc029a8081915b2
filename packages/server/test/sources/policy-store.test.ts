import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import { createPolicyStore, type PolicyStore } from '../../src/sources/api/policy-store.ts';
import { makePolicy } from '../support/make-policy.ts';

const folders: string[] = [];
after(() => Promise.all(folders.map((made) => rm(made, { recursive: true }))));

async function data(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'portcullis-store-'));
  folders.push(made);
  return made;
}

/** Names of what is stored; of a fault its code, with what holds it. */
async function look(store: PolicyStore): Promise<readonly unknown[]> {
  return (await store.read()).map(({ result, container }) =>
    isFault(result) ? [result.code, container] : result.metadata.name,
  );
}

const stored = makePolicy('kept', { module: { inline: 'AGFzbQEAAAA=' } });

test('a policy survives, until it is removed', async () => {
  const directory = await data();
  const store = createPolicyStore(directory);
  assert.deepEqual(await look(store), []);
  assert.equal(await store.put(stored), undefined);
  assert.deepEqual(await look(createPolicyStore(directory)), ['kept']);
  assert.deepEqual(
    [await store.remove('kept'), await store.remove('kept'), await store.remove('../kept')],
    [true, false, false],
  );
  assert.deepEqual(await look(store), []);
});

test('a folder that cannot be read, or is gone, is a fault and not a store without policies', async () => {
  const directory = await data();
  const folder = join(directory, 'policies');
  const store = createPolicyStore(directory);
  await store.put(stored);
  assert.deepEqual(await look(store), ['kept']);
  await rename(folder, join(directory, 'elsewhere'));
  assert.deepEqual(await look(store), [['PC_STORAGE', folder]]);
  await writeFile(folder, 'not a folder');
  assert.deepEqual(await look(store), [['PC_STORAGE', folder]]);
  assert.deepEqual(await look(createPolicyStore(directory)), [['PC_STORAGE', folder]]);
  const removed = await store.remove('kept');
  assert.ok(isFault(removed));
});

test('what cannot be stored leaves nothing behind', async () => {
  const directory = await data();
  // In the place of the file, so that renaming fails.
  await mkdir(join(directory, 'policies', 'kept.json', 'inside'), { recursive: true });
  const failed = await createPolicyStore(directory).put(stored);
  assert.ok(isFault(failed));
  assert.deepEqual([failed.code, await readdir(join(directory, 'policies'))], ['PC_STORAGE', ['kept.json']]);
});

import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openModuleCache } from '../../src/app/open-module-cache.ts';
import { contentDigest } from '../../src/oci/content-digest.ts';
import { createMemoryLog } from '../telemetry/memory-log.ts';

const BYTES = Buffer.from('a module');

async function temporary(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-cache-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function open(directory: string, enabled = true) {
  const log = createMemoryLog();
  const cache = await openModuleCache({ enabled, directory, maxBytes: 1024 }, () => 0, log);
  await cache.write(contentDigest(BYTES), BYTES);
  return { cache, lines: log.lines.map(({ message, fields }) => [message, fields['reason']]) };
}

test('the folder is made for us alone', async (t) => {
  const directory = join(await temporary(t), 'deep', 'modules');
  const { cache, lines } = await open(directory);
  assert.deepEqual(await cache.read(contentDigest(BYTES), 100), BYTES);
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  assert.deepEqual(lines, []);
});

test('a folder that everybody may write to is not used: its notes would be believed', async (t) => {
  const directory = await temporary(t);
  await chmod(directory, 0o777);
  const { cache, lines } = await open(directory);
  assert.equal(cache.counts(), undefined);
  assert.deepEqual(await readdir(directory), []);
  assert.deepEqual(lines, [
    ['modules are not kept on disk: a start needs their registries', 'everybody may write to it'],
  ]);
});

test('a place where no folder can be is told, and the server goes on without', async (t) => {
  const file = join(await temporary(t), 'file');
  await writeFile(file, '');
  const { cache, lines } = await open(join(file, 'modules'));
  assert.equal(cache.counts(), undefined);
  assert.match(String(lines[0]?.[1]), /ENOTDIR/);
});

test('switched off, nothing is made and nothing said', async (t) => {
  const directory = join(await temporary(t), 'modules');
  const { cache, lines } = await open(directory, false);
  assert.equal(cache.counts(), undefined);
  assert.deepEqual(lines, []);
  await assert.rejects(stat(directory));
});

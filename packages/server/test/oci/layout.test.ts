import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { isFault } from '../../src/kernel/fault.ts';
import { createLayoutWriter } from '../../src/oci/layout/layout-writer.ts';
import { moduleInLayout } from '../../src/oci/layout/module-in-layout.ts';
import { readLayout } from '../../src/oci/layout/read-layout.ts';
import { readTarIndex, TAR_END, tarFile, type ReadAt } from '../../src/oci/layout/tar.ts';
import { buildPolicyArtifact } from '../../src/oci/policy-artifact.ts';
import { digestOf } from './fake-registry.ts';

const run = promisify(execFile);
const NAME = 'reg.example/team/p:1';

const readerOf =
  (bytes: Uint8Array): ReadAt =>
  async (offset, length) =>
    bytes.subarray(offset, offset + length);

async function archive(): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const writer = createLayoutWriter(async (bytes) => void parts.push(bytes));
  const { blobs, manifest, digest } = buildPolicyArtifact(Buffer.from('a module'), {});
  for (const blob of [...blobs, manifest.bytes]) await writer.add(digestOf(blob), blob);
  writer.name(NAME, { mediaType: manifest.mediaType, digest, size: manifest.bytes.length });
  await writer.end();
  return Buffer.concat(parts);
}

async function workDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-layout-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

test('what is written is read again', async () => {
  const layout = await readLayout(readerOf(await archive()));
  assert.ok(!isFault(layout));
  const [entry, ...more] = layout.entries;
  assert.ok(entry !== undefined && more.length === 0);
  assert.equal(entry.name, NAME);
  assert.deepEqual(await moduleInLayout(layout, entry.descriptor, 1000), Buffer.from('a module'));
});

test('the same content makes the same archive', async () => {
  assert.deepEqual(await archive(), await archive());
});

test('tar reads what we write, and we read what tar writes', async (t) => {
  const directory = await workDirectory(t);
  await writeFile(join(directory, 'a.tar'), await archive());
  await run('tar', ['-xf', 'a.tar', '-C', directory], { cwd: directory });
  const index = JSON.parse(await readFile(join(directory, 'index.json'), 'utf8')) as { manifests: unknown[] };
  assert.equal(index.manifests.length, 1);
  for (const format of ['ustar', 'gnu', 'pax']) {
    await run('tar', [`--format=${format}`, '-cf', 'b.tar', './blobs', './oci-layout', './index.json'], {
      cwd: directory,
    });
    const layout = await readLayout(readerOf(await readFile(join(directory, 'b.tar'))));
    assert.ok(!isFault(layout));
    const [entry] = layout.entries;
    assert.ok(entry !== undefined);
    assert.deepEqual(await moduleInLayout(layout, entry.descriptor, 1000), Buffer.from('a module'));
  }
});

test('a blob that was changed in the archive is not taken', async () => {
  const bytes = await archive();
  bytes.write('b module', bytes.indexOf('a module'));
  const layout = await readLayout(readerOf(bytes));
  assert.ok(!isFault(layout));
  const [entry] = layout.entries;
  assert.ok(entry !== undefined);
  const module = await moduleInLayout(layout, entry.descriptor, 1000);
  assert.ok(isFault(module));
  assert.equal(module.code, 'PC_OCI_DIGEST');
  const large = await moduleInLayout(layout, entry.descriptor, 300);
  assert.ok(isFault(large));
  assert.equal(large.code, 'PC_OCI_SIZE');
});

test('archives of other things are refused', async () => {
  for (const bytes of [
    Buffer.from('{}'),
    Buffer.alloc(2000, 'x'),
    Buffer.from([0x1f, 0x8b, ...Array.from({ length: 600 }, () => 7)]),
    Buffer.concat([tarFile('manifest.json', Buffer.from('[]')), TAR_END]),
    Buffer.concat([tarFile('index.json', Buffer.from('[]')), TAR_END]),
  ]) {
    const layout = await readLayout(readerOf(bytes));
    assert.ok(isFault(layout));
    assert.match(layout.code, /^PC_(INPUT|OCI_ANSWER)$/);
  }
});

test('any bytes are an index of files or a fault', async () => {
  const whole = await archive();
  const damaged = fc
    .tuple(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }))
    .map(([at, patch]) => {
      const copy = Buffer.from(whole);
      copy.set(patch.subarray(0, copy.length - at), at);
      return copy;
    });
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 3000 }), damaged), async (bytes) => {
      const index = await readTarIndex(readerOf(bytes));
      if (!isFault(index)) for (const { size } of index.values()) assert.ok(size >= 0);
      const layout = await readLayout(readerOf(bytes));
      if (isFault(layout)) return;
      for (const { descriptor } of layout.entries) await moduleInLayout(layout, descriptor, 1000);
    }),
    { seed: 5, numRuns: 500 },
  );
});

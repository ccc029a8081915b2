import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { contentDigest } from '../../src/oci/content-digest.ts';
import { openTestCache } from '../support/test-cache.ts';

const ONE = Buffer.from('module one');
const MANY = 1000;

/** Ten bytes that differ. */
const bytesOf = (number: number): Buffer => Buffer.from(String(number).padStart(10, '0'));
const fileOf = (directory: string, bytes: Uint8Array): string =>
  join(directory, 'content', ...contentDigest(bytes).split(':'));

test('bytes come back under their digest, to this process and to others', async (t) => {
  const { cache, other, directory } = await openTestCache(t);
  assert.equal(await cache.read(contentDigest(ONE), MANY), undefined);
  await cache.write(contentDigest(ONE), ONE);
  assert.deepEqual(await cache.read(contentDigest(ONE), MANY), ONE);
  assert.deepEqual(await other().read(contentDigest(ONE), MANY), ONE);
  assert.deepEqual(await readdir(join(directory, 'tmp')), []);
  assert.equal((await stat(fileOf(directory, ONE))).mode & 0o777, 0o600);
  const { hits, misses, damaged, failedWrites, bytes } = cache.counts();
  assert.deepEqual([hits, misses, damaged, failedWrites, bytes], [1, 1, 0, 0, ONE.length]);
});

for (const [what, harm] of [
  ['a changed byte', (path: string) => writeFile(path, 'module onf')],
  ['a file that was cut off', (path: string) => truncate(path, 3)],
  ['an empty file', (path: string) => truncate(path, 0)],
] as const) {
  test(`${what}: it is removed, counted and told, and never read`, async (t) => {
    const { cache, directory, log } = await openTestCache(t);
    const digest = contentDigest(ONE);
    await cache.write(digest, ONE);
    await harm(fileOf(directory, ONE));
    assert.equal(await cache.read(digest, MANY), undefined);
    assert.equal(existsSync(fileOf(directory, ONE)), false);
    assert.equal(cache.counts().damaged, 1);
    assert.deepEqual(log.lines, [
      {
        level: 'warn',
        message: 'a file in the cache of modules is damaged, and is removed',
        fields: { digest },
      },
    ]);
    await cache.write(digest, ONE);
    assert.deepEqual(await cache.read(digest, MANY), ONE);
  });
}

test('what is larger than asked for is not read, and not removed', async (t) => {
  const { cache, directory } = await openTestCache(t);
  await cache.write(contentDigest(ONE), ONE);
  assert.equal(await cache.read(contentDigest(ONE), ONE.length - 1), undefined);
  assert.ok(existsSync(fileOf(directory, ONE)));
});

test('what was not used for longest goes first, whichever process used it', async (t) => {
  const { cache, other, time } = await openTestCache(t, 30);
  for (const number of [1, 2, 3]) {
    time.now += 1000;
    await cache.write(contentDigest(bytesOf(number)), bytesOf(number));
  }
  time.now += 1000;
  // In force all the time, though nobody reads it.
  cache.used(contentDigest(bytesOf(1)));
  time.now += 1000;
  await cache.write(contentDigest(bytesOf(4)), bytesOf(4));
  time.now += 1000;
  const another = other();
  await another.write(contentDigest(bytesOf(5)), bytesOf(5));
  const left = [];
  for (const number of [1, 2, 3, 4, 5]) {
    if ((await cache.read(contentDigest(bytesOf(number)), MANY)) !== undefined) left.push(number);
  }
  assert.deepEqual(left, [1, 4, 5]);
  assert.equal(another.counts().bytes, 30);
});

test('what alone is larger than the cap is not kept', async (t) => {
  const { cache, directory } = await openTestCache(t, 9);
  await cache.write(contentDigest(ONE), ONE);
  assert.equal(existsSync(fileOf(directory, ONE)), false);
});

test('a tag is remembered as long as its content is there', async (t) => {
  const { cache, other, directory, time } = await openTestCache(t, 10);
  const digest = contentDigest(ONE);
  await cache.write(digest, ONE);
  await cache.remember('registry.example/team/p:1', digest);
  assert.equal(await other().recall('registry.example/team/p:1'), digest);
  assert.equal(await cache.recall('registry.example/team/p:2'), undefined);
  time.now += 1000;
  await cache.write(contentDigest(bytesOf(2)), bytesOf(2));
  assert.equal(await cache.recall('registry.example/team/p:1'), undefined);
  assert.deepEqual(await readdir(join(directory, 'tags')), []);
});

test('a note that is not of this tag, or no note, is not believed', async (t) => {
  const { cache, directory } = await openTestCache(t);
  const digest = contentDigest(ONE);
  await cache.write(digest, ONE);
  await cache.remember('a:1', digest);
  const [file = ''] = await readdir(join(directory, 'tags'));
  const path = join(directory, 'tags', file);
  for (const text of [
    '',
    'nonsense',
    '[]',
    '{"name":"b:1","digest":"x"}',
    '{"name":"a:1","digest":"../../x"}',
  ]) {
    await writeFile(path, text);
    assert.equal(await cache.recall('a:1'), undefined, text);
  }
  await writeFile(path, JSON.stringify({ name: 'a:1', digest }));
  assert.equal(await cache.recall('a:1'), digest);
});

test('what a process that died was writing is removed after a while', async (t) => {
  const { cache, directory, time } = await openTestCache(t);
  await mkdir(join(directory, 'tmp'));
  const [young, old] = ['young', 'old'].map((name) => join(directory, 'tmp', name)) as [string, string];
  await writeFile(young, 'x');
  await writeFile(old, 'x');
  const before = new Date(time.now - 7_200_000);
  await utimes(old, before, before);
  await cache.write(contentDigest(ONE), ONE);
  assert.deepEqual(await readdir(join(directory, 'tmp')), ['young']);
});

test('a place that cannot be written is told once, and nothing fails', async (t) => {
  const { cache, directory, log } = await openTestCache(t);
  // A file where a folder should be stops root too.
  await writeFile(join(directory, 'content'), '');
  await cache.write(contentDigest(ONE), ONE);
  await cache.write(contentDigest(bytesOf(1)), bytesOf(1));
  assert.equal(await cache.read(contentDigest(ONE), MANY), undefined);
  assert.equal(cache.counts().failedWrites, 2);
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    ['the cache of modules cannot be written'],
  );
});

test('several processes write and read the same folder: nobody sees half a file', async (t) => {
  const { directory, other } = await openTestCache(t);
  const script = join(directory, 'writer.ts');
  const inner = join(import.meta.dirname, '..', '..', 'src', 'sources', 'disk-cache', 'create-disk-cache.ts');
  await writeFile(
    script,
    `import { createHash } from 'node:crypto';
     import { createDiskCache } from ${JSON.stringify(inner)};
     const log = { enabled: () => true, log: (...line: unknown[]) => console.log(JSON.stringify(line)) };
     const cache = createDiskCache({ directory: ${JSON.stringify(directory)}, maxBytes: 8 * 65536, wall: Date.now, log });
     for (let round = 0; round < 60; round += 1) {
       const bytes = Buffer.alloc(65536, round % 12);
       const digest = 'sha256:' + createHash('sha256').update(bytes).digest('hex');
       const found = await cache.read(digest, 65536);
       if (found === undefined) await cache.write(digest, bytes);
       else if (!bytes.equals(found)) console.log('other bytes');
     }`,
  );
  const outcomes = await Promise.all([0, 1, 2].map(() => run(script)));
  assert.deepEqual(outcomes, ['', '', '']);
  const cache = other(8 * 65536);
  await cache.write(contentDigest(ONE), ONE);
  assert.ok(cache.counts().bytes <= 8 * 65536);
  assert.equal(cache.counts().damaged, 0);
});

async function run(script: string): Promise<string> {
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => (output += text));
  }
  await new Promise((resolve) => child.on('close', resolve));
  return output;
}

test('a file is whole or not there: content is never written in place', async (t) => {
  const { cache, directory } = await openTestCache(t);
  await cache.write(contentDigest(ONE), ONE);
  const { ino } = await stat(fileOf(directory, ONE));
  await cache.write(contentDigest(ONE), ONE);
  assert.notEqual((await stat(fileOf(directory, ONE))).ino, ino);
  assert.deepEqual(await readFile(fileOf(directory, ONE)), ONE);
});

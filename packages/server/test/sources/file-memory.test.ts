import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import { createFileMemory, type FileMemory } from '../../src/sources/file-memory.ts';

interface Setup {
  readonly path: string;
  readonly parsed: string[];
  readonly memory: FileMemory<{ readonly text: string }>;
}

/** `wall` counts from the time at which the file was written. */
async function setUp(t: TestContext, wall?: number): Promise<Setup> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-file-memory-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'a');
  await writeFile(path, 'one');
  const { ctimeMs } = await stat(path);
  const parsed: string[] = [];
  const memory = createFileMemory({
    ...(wall === undefined ? {} : { wall: () => ctimeMs + wall }),
    code: 'PC_STORAGE',
    what: 'cannot read',
    parse(_path, bytes) {
      const text = Buffer.from(bytes).toString();
      parsed.push(text);
      return { text };
    },
  });
  return { path, parsed, memory };
}

for (const wall of [undefined, 100, 60_000]) {
  test(`the same bytes are the same object, other bytes another one; ${wall ?? 'no'} ms after the write`, async (t) => {
    const { path, parsed, memory } = await setUp(t, wall);
    const [first] = await memory.read([path]);
    const [second] = await memory.read([path]);
    assert.equal(second?.answer, first?.answer);
    await writeFile(path, 'one');
    assert.equal((await memory.read([path]))[0]?.answer, first?.answer, 'written, yet the same');
    await writeFile(path, 'two');
    assert.deepEqual((await memory.read([path]))[0]?.answer, { text: 'two' });
    assert.deepEqual(parsed, ['one', 'two']);
  });
}

test('a young file is read again: its next state might look like this one', async (t) => {
  const { path, parsed, memory } = await setUp(t, 100);
  await memory.read([path]);
  const { atime, mtime } = await stat(path);
  await writeFile(path, 'two');
  await utimes(path, atime, mtime);
  await memory.read([path]);
  assert.deepEqual(parsed, ['one', 'two']);
});

test('a file that is gone is a fault, and forgotten', async (t) => {
  const { path, parsed, memory } = await setUp(t, 60_000);
  await memory.read([path]);
  await rm(path);
  const [gone] = await memory.read([path]);
  assert.ok(isFault(gone?.answer));
  await writeFile(path, 'one');
  await memory.read([path]);
  assert.deepEqual(parsed, ['one', 'one']);
});

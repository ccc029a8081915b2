import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isException } from '../../src/policy/parse-policies.ts';
import { isFault } from '../../src/kernel/fault.ts';
import { createFileDocumentSource } from '../../src/sources/file/file-document-source.ts';
import { createFileModuleSource } from '../../src/sources/file/file-module-source.ts';
import type { DocumentSource } from '../../src/sources/source.ts';

const folders: string[] = [];
after(() => Promise.all(folders.map((made) => rm(made, { recursive: true }))));

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'portcullis-file-source-'));
  folders.push(made);
  return made;
}

function policy(name: string, file = './policy.wasm'): string {
  return `apiVersion: portcullis.dev/v1\nkind: Policy\nmetadata: { name: ${name} }\nspec:\n  module: { file: ${file} }\n`;
}

function sourceOf(directory: string): DocumentSource {
  return createFileDocumentSource({
    directories: [directory],
    files: [],
    pluginsFiles: [],
    checkInterval: 20,
  });
}

async function names(source: DocumentSource): Promise<readonly string[]> {
  return (await source.read()).map(({ result, name }) =>
    isFault(result) ? `${result.code}(${name ?? ''})` : result.metadata.name,
  );
}

test('reads policies from a folder and its folders, in a stable order, and leaves out tests and hidden files', async () => {
  const root = await folder();
  await mkdir(join(root, 'b', 'tests'), { recursive: true });
  await mkdir(join(root, '..2026_11_21'));
  await writeFile(join(root, 'b', 'policy.yaml'), `${policy('two')}---\n${policy('three')}`);
  await writeFile(join(root, 'b', 'tests', 'suite.yaml'), 'cases: []\n');
  await writeFile(join(root, '..2026_11_21', 'policy.yaml'), policy('hidden'));
  await writeFile(join(root, 'a.yml'), policy('one'));
  await writeFile(join(root, 'notes.txt'), 'not a policy');
  assert.deepEqual(await names(sourceOf(root)), ['one', 'two', 'three']);
});

test('a file that is no policy, or not UTF-8, is a problem of its own', async () => {
  const root = await folder();
  await writeFile(join(root, 'a.yaml'), policy('good'));
  await writeFile(join(root, 'b.yaml'), Buffer.from([0xff, 0xfe, 0x41]));
  await writeFile(join(root, 'c.yaml'), 'kind: [\n');
  const found = await names(sourceOf(root));
  assert.equal(found[0], 'good');
  assert.equal(found[1], 'PC_POLICY_SYNTAX()');
  assert.match(found[2] ?? '', /^PC_POLICY_SYNTAX/);
});

test('a folder that does not exist is a problem, not an empty set', async () => {
  const found = await sourceOf('/nonexistent/policies').read();
  assert.equal(found.length, 1);
  assert.ok(isFault(found[0]?.result));
});

/** Resolves at the first change after `act`. The watch tells of its first look too. */
async function changedBy(source: DocumentSource, act: () => Promise<void>): Promise<void> {
  await source.read();
  let told = Promise.withResolvers<void>();
  const stop = source.watch(() => told.resolve());
  await told.promise;
  told = Promise.withResolvers();
  await act();
  await told.promise;
  stop();
}

test('sees new, changed and removed documents and changed modules', async () => {
  const root = await folder();
  const path = join(root, 'policy.yaml');
  const source = sourceOf(root);
  await changedBy(source, () => writeFile(path, policy('one')));
  await changedBy(source, () => writeFile(path, policy('two-longer')));
  await writeFile(join(root, 'policy.wasm'), 'a');
  await changedBy(source, () => writeFile(join(root, 'policy.wasm'), 'bb'));
  await changedBy(source, () => rm(path));
});

test('sees the link swap of a mounted volume', async () => {
  const root = await folder();
  const version = async (stamp: string, name: string): Promise<void> => {
    await mkdir(join(root, stamp));
    await writeFile(join(root, stamp, 'policy.yaml'), policy(name));
    await symlink(stamp, join(root, `..data_${stamp}`));
    await rename(join(root, `..data_${stamp}`), join(root, '..data'));
  };
  await version('..1', 'one');
  await symlink(join('..data', 'policy.yaml'), join(root, 'policy.yaml'));
  const source = sourceOf(root);
  assert.deepEqual(await names(source), ['one']);
  await changedBy(source, () => version('..2', 'two'));
  assert.deepEqual(await names(source), ['two']);
});

test('a module file is read beside its document, and only for documents that are files', async () => {
  const root = await folder();
  await writeFile(join(root, 'policy.yaml'), policy('one'));
  await writeFile(join(root, 'policy.wasm'), 'bytes');
  const [reading] = await sourceOf(root).read();
  assert.ok(reading !== undefined && !isFault(reading.result) && !isException(reading.result));
  const modules = createFileModuleSource({ maxModuleBytes: 100 });
  const bytes = await modules.fetch(reading.result);
  assert.equal(!isFault(bytes) && Buffer.from(bytes).toString(), 'bytes');

  const { directory: _none, ...origin } = reading.result.origin;
  const foreign = await modules.fetch({ ...reading.result, origin: { ...origin, source: 'api' } });
  assert.equal(isFault(foreign) && foreign.code, 'PC_MODULE_SOURCE');
  const large = await createFileModuleSource({ maxModuleBytes: 3 }).fetch(reading.result);
  assert.equal(isFault(large) && large.code, 'PC_MODULE_SIZE');
  await rm(join(root, 'policy.wasm'));
  const missing = await modules.fetch(reading.result);
  assert.equal(isFault(missing) && missing.code, 'PC_MODULE_MISSING');
});

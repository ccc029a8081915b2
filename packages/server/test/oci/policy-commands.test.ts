import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readCustomSection } from '../../src/wasm/decode/read-custom-section.ts';
import { ROOT, runCli } from '../cli/run-cli.ts';
import { digestOf, startFakeRegistry, type FakeRegistry } from './fake-registry.ts';

const MODULE = join(ROOT, 'policies/image-registry/image-registry.wasm');
const POD = join(ROOT, 'policies/image-registry/tests/pod.json');

async function setUp(t: TestContext): Promise<{ registry: FakeRegistry; directory: string }> {
  const registry = await startFakeRegistry();
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-policy-'));
  t.after(async () => {
    await registry.close();
    await rm(directory, { recursive: true });
  });
  return { registry, directory };
}

async function succeed(...args: string[]): Promise<string> {
  const { code, out, err } = await runCli(args);
  assert.deepEqual([code, err], [0, '']);
  return out.trim();
}

test('annotate, push, digest, pull: the same bytes come back', async (t) => {
  const { registry, directory } = await setUp(t);
  const [metadata, annotated, pulled] = ['m.yml', 'a.wasm', 'p.wasm'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  await writeFile(
    metadata,
    'executionMode: wasi\nmutating: false\nannotations: { io.kubewarden.policy.title: images }\n',
  );
  await succeed('policy', 'annotate', MODULE, '-m', metadata, '-o', annotated);
  const bytes = await readFile(annotated);
  const section = readCustomSection(bytes, 'io.kubewarden.metadata');
  assert.ok(section instanceof Uint8Array);
  assert.deepEqual(JSON.parse(Buffer.from(section).toString()), {
    executionMode: 'wasi',
    policyType: 'kubernetes',
    mutating: false,
    backgroundAudit: true,
    rules: [],
    contextAwareResources: [],
    annotations: { 'io.kubewarden.policy.title': 'images' },
  });
  await succeed('policy', 'annotate', annotated, '-m', metadata, '-o', annotated);
  assert.deepEqual(await readFile(annotated), bytes, 'annotating again replaces the section');

  const reference = `${registry.host}/team/images:v1`;
  const pinned = await succeed('policy', 'push', annotated, reference, '--annotation', 'a=b=c');
  const stored = registry.manifests.get('team/images v1');
  assert.ok(stored);
  assert.equal(pinned, `${registry.host}/team/images@${digestOf(stored.bytes)}`);
  const manifest = JSON.parse(stored.bytes.toString()) as Record<string, unknown>;
  assert.deepEqual(manifest['annotations'], { a: 'b=c', 'io.kubewarden.policy.title': 'images' });
  assert.deepEqual(manifest['layers'], [
    { mediaType: 'application/vnd.wasm.content.layer.v1+wasm', digest: digestOf(bytes), size: bytes.length },
  ]);
  assert.equal(await succeed('policy', 'digest', `registry://${reference}`), pinned);
  assert.equal(await succeed('policy', 'pull', pinned, '-o', pulled), `${pulled} ${pinned}`);
  assert.deepEqual(await readFile(pulled), bytes);
});

test('save and load: another registry has the same content, and files', async (t) => {
  const { registry, directory } = await setUp(t);
  const other = await startFakeRegistry();
  t.after(() => other.close());
  const digest = registry.put('team/images', 'v1', await readFile(MODULE));
  const reference = `${registry.host}/team/images:v1`;
  const policy = join(directory, 'policy.yaml');
  await writeFile(
    policy,
    `{apiVersion: portcullis.dev/v1, kind: Policy, metadata: {name: p}, spec: {module: {oci: "${reference}"}}}`,
  );
  const archive = join(directory, 'a.tar');
  assert.equal(await succeed('policy', 'save', '-p', policy, '-o', archive), `${reference} ${digest}`);
  assert.equal(await succeed('policy', 'load', archive), `${reference} ${digest}`);
  assert.equal(
    await succeed('policy', 'load', archive, '--to', `${other.host}/mirror/`),
    `${other.host}/mirror/team/images@${digest}`,
  );
  assert.equal(digestOf(other.manifests.get('mirror/team/images v1')?.bytes ?? Buffer.alloc(0)), digest);
  const file = join(directory, 'team', 'images', 'v1.wasm');
  assert.equal(
    await succeed('policy', 'load', archive, '--directory', directory),
    `${file} ${reference} ${digest}`,
  );
  assert.deepEqual(await readFile(file), await readFile(MODULE));
});

test('check judges with a module of a registry', async (t) => {
  const { registry, directory } = await setUp(t);
  const digest = registry.put('team/images', 'v1', await readFile(MODULE));
  const policy = join(directory, 'policy.yaml');
  for (const suffix of [':v1', `@${digest}`]) {
    await writeFile(
      policy,
      `{apiVersion: portcullis.dev/v1, kind: Policy, metadata: {name: images}, spec: {module: {oci: "${registry.host}/team/images${suffix}"}}}`,
    );
    const { code, out, err } = await runCli(['check', '-p', policy, '-f', POD]);
    assert.equal(err, '');
    assert.ok(code === 0 || code === 1);
    assert.match(out, / by images/);
  }
});

for (const [name, args, message] of [
  ['a wrong reference', ['pull', 'Team/P', '-o', '/dev/null'], /^PC_OCI_REFERENCE: /],
  ['what is no module', ['push', 'package.json', 'r.example/p:1'], /^PC_MODULE_MALFORMED: /],
  ['nothing to save', ['save', '-o', '/dev/null/x'], /^PC_INPUT: there is nothing to save/],
  ['what is no archive', ['load', 'package.json'], /^PC_INPUT: `package.json`: it is not a tar archive/],
  ['a registry that is not there', ['digest', '127.0.0.1:1/p:1'], /^PC_OCI_UNREACHABLE: /],
  ['a timeout without a unit', ['digest', 'p', '--timeout', '5'], /^error: option '--timeout/],
  [
    'an annotation without a value',
    ['push', MODULE, 'p', '--annotation', 'x'],
    /^error: option '--annotation/,
  ],
] as const) {
  test(`refused with what to do: ${name}`, async () => {
    const { code, out, err } = await runCli(['policy', ...args]);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, message);
  });
}

test('an archive goes to a registry that is named as one', async (t) => {
  const { registry, directory } = await setUp(t);
  registry.put('p', '1', await readFile(MODULE));
  const archive = join(directory, 'a.tar');
  await succeed('policy', 'save', `${registry.host}/p:1`, '-o', archive);
  const { code, err } = await runCli(['policy', 'load', archive, '--to', 'registry']);
  assert.equal(code, 2);
  assert.match(err, /^PC_INPUT: `registry` does not start with the host of a registry/);
});

test('metadata that cannot be right is refused with every problem', async (t) => {
  const { directory } = await setUp(t);
  const metadata = join(directory, 'm.yml');
  await writeFile(metadata, 'mutating: maybe\nrule: []\nrules: [{apiGroups: ["*", apps]}]\n');
  const { code, err } = await runCli(['policy', 'annotate', MODULE, '-m', metadata, '-o', '/dev/null']);
  assert.equal(code, 2);
  for (const part of ['`mutating` ', 'unknown key `rule`', '`rules.0.resources` ']) {
    assert.ok(err.includes(part), err);
  }
  await writeFile(metadata, 'mutating: false\n');
  const without = await runCli(['policy', 'annotate', MODULE, '-m', metadata, '-o', '/dev/null']);
  assert.match(without.err, /`protocolVersion` must be `v1`/);
});

test('metadata for the core group are written, and inspect tells of them', async (t) => {
  const { directory } = await setUp(t);
  const [metadata, annotated] = [join(directory, 'm.yml'), join(directory, 'annotated.wasm')];
  await writeFile(
    metadata,
    `protocolVersion: v1
mutating: false
rules: [{ apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE] }]
contextAwareResources: [{ apiVersion: v1, kind: Namespace }]
`,
  );
  const waPC = 'policies/image-patterns-wapc/image-patterns-wapc.wasm';
  await succeed('policy', 'annotate', waPC, '-m', metadata, '-o', annotated);
  const { code, out } = await runCli(['inspect', annotated]);
  assert.equal(code, 0);
  assert.match(out, /^metadata +is for CREATE of pods in the core group v1$/m);
  assert.match(out, /^metadata +reads v1 Namespace of the cluster$/m);
});

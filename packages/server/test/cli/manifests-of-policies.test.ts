import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ROOT, runCli, type CliResult } from './run-cli.ts';

// What an author applies with kubectl, judged offline: each test writes the files that would be applied.
let folder: string;
let code: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-manifests-'));
  code = (await readFile(join(ROOT, 'policies/image-registry/image-registry.wasm'))).toString('base64');
});
after(() => rm(folder, { recursive: true }));

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
}

const configMap = (metadata: object, more: object = { binaryData: { 'plugin.wasm': code } }): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  ...more,
});
const ours = (kind: string, metadata: object, spec: object): Manifest & { spec: object } => ({
  apiVersion: 'portcullis.dev/v1',
  kind,
  metadata,
  spec,
});
const MATCH = {
  operations: ['CREATE'],
  resources: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
};
const MODULE = { configMap: { name: 'code', key: 'plugin.wasm' } };
const program = (registry: string, module: object = MODULE): object => ({
  module,
  settings: { registries: [registry] },
});
const policy = (metadata: object, module: object = MODULE, kind = 'Policy'): Manifest =>
  ours(kind, metadata, { match: MATCH, ...program('registry.k8s.io', module) });
const exception = (expires: string): Manifest =>
  ours('PolicyException', { name: 'migration' }, { policies: ['*'], expires, reason: 'moves' });

const pod = (namespace: string, image = 'quay.io/acme/app:1'): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace },
    spec: { containers: [{ name: 'web', image }] },
  });

/** One document after the other in one file, as JSON is YAML. */
async function check(
  manifests: readonly Manifest[],
  stdin: string = pod('team-a'),
  ...more: readonly string[]
): Promise<CliResult> {
  const path = join(folder, 'applied.yaml');
  await writeFile(path, manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n'));
  return runCli(['check', '-p', path, '-f', '-', ...more], stdin);
}

describe('modules', () => {
  test('come from a ConfigMap of the same files; who names no namespace means the one of the server', async () => {
    for (const metadata of [{ name: 'code' }, { name: 'code', namespace: 'portcullis' }]) {
      const { out, err, code: exit } = await check([configMap(metadata), policy({ name: 'registries' })]);
      assert.equal(exit, 1, err);
      assert.match(out, /^standard input: denied by registries$/m);
    }
    const elsewhere = [configMap({ name: 'code', namespace: 'security' }), policy({ name: 'registries' })];
    assert.equal((await check(elsewhere, pod('team-a'), '--own-namespace', 'security')).code, 1);
    const { code: exit, out, err } = await check(elsewhere);
    assert.deepEqual([exit, out], [2, '']);
    assert.match(
      err,
      /^PC_MODULE_MISSING: there is no manifest of `ConfigMap\/portcullis\/code` .*there is `ConfigMap\/security\/code`/,
    );
  });

  test('come from a Secret, as data or as text', async () => {
    const module = { secret: { name: 'code', key: 'k' } };
    for (const data of [{ data: { k: code } }, { stringData: { k: code } }]) {
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'code' }, ...data };
      const { code: exit, err } = await check([secret, policy({ name: 'registries' }, module)]);
      assert.equal(exit, 1, err);
    }
  });

  test('that are not there are told with what is', async () => {
    const { code: exit, err } = await check([
      configMap({ name: 'code' }, { data: { other: 'x' } }),
      policy({ name: 'registries' }),
    ]);
    assert.equal(exit, 2);
    assert.match(err, /ConfigMap\/portcullis\/code has no key `plugin\.wasm`: it has `other`/);
  });
});

describe('kinds', () => {
  test('a namespaced policy judges its own namespace, with code of its own', async () => {
    const manifests = [
      configMap({ name: 'code', namespace: 'team-a' }),
      policy({ name: 'own', namespace: 'team-a' }, MODULE, 'NamespacedPolicy'),
    ];
    const denied = await check(manifests);
    assert.equal(denied.code, 1, denied.err);
    assert.match(denied.out, /\[team-a\/own\] Image 'quay\.io\/acme\/app:1'/);
    assert.equal((await check(manifests, pod('team-b'))).code, 0);
  });

  test('a namespaced policy that reaches for code of another namespace is refused', async () => {
    const module = { configMap: { ...MODULE.configMap, namespace: 'portcullis' } };
    const { code: exit, err } = await check([
      configMap({ name: 'code' }),
      policy({ name: 'thief', namespace: 'team-a' }, module, 'NamespacedPolicy'),
    ]);
    assert.equal(exit, 2);
    assert.match(
      err,
      /spec\.module\.configMap\.namespace: a namespaced policy takes its module from its own/,
    );
  });

  for (const [kind, metadata] of [
    ['PolicyGroup', { name: 'both' }],
    ['NamespacedPolicyGroup', { name: 'both', namespace: 'team-a' }],
  ] as const) {
    test(`a ${kind} decides by its expression`, async () => {
      const group = (expression: string): readonly Manifest[] => [
        configMap({ ...metadata, name: 'code' }),
        ours(kind, metadata, {
          match: MATCH,
          expression,
          message: 'from a registry of ours',
          members: { one: program('registry.k8s.io'), two: program('quay.io/acme') },
        }),
      ];
      assert.equal((await check(group('one() || two()'))).code, 0);
      const denied = await check(group('one() && two()'));
      assert.equal(denied.code, 1, denied.err);
      assert.match(denied.out, /both\] from a registry of ours/);
    });
  }

  test('an exception holds until its time is over, and is shown', async () => {
    const policies = [configMap({ name: 'code' }), policy({ name: 'registries' })];
    const held = await check([...policies, exception('never')]);
    assert.equal(held.code, 0, held.err);
    assert.match(held.out, /^ {2}excepted by migration: \[registries\] Image 'quay\.io\/acme\/app:1'/m);
    assert.equal((await check([...policies, exception('2020-01-01T00:00:00Z')])).code, 1);
  });

  test('a ConfigMap with the label is a plugin', async () => {
    const labels = { 'portcullis.dev/plugin': 'true' };
    const annotations = { 'portcullis.dev/config': '{"registries":["registry.k8s.io"]}' };
    const {
      code: exit,
      out,
      err,
    } = await check([configMap({ name: 'registry-check', labels, annotations })]);
    assert.equal(exit, 1, err);
    assert.match(out, /denied by registry-check/);
    const elsewhere = configMap({ name: 'registry-check', namespace: 'team-a', labels, annotations });
    assert.match((await check([elsewhere])).out, /by no policy/);
  });
});

describe('what is refused', () => {
  for (const [what, manifests, message] of [
    [
      'two of one name',
      [configMap({ name: 'a' }, {}), configMap({ name: 'a' }, {})],
      /applied\.yaml:3: there is another `ConfigMap\/portcullis\/a`/,
    ],
    [
      'binary data that is no base64',
      [configMap({ name: 'a' }, { binaryData: { k: '***' } })],
      /binaryData\.k: is not standard base64/,
    ],
    ['a number as data', [configMap({ name: 'a' }, { data: { k: 1 } })], /data\.k: must be a text/],
    ['no name', [configMap({}, {})], /metadata\.name: is required/],
    ['a kind that nobody reads', [ours('Polcy', { name: 'a' }, {})], /did you mean `Policy`\?/],
  ] as const) {
    test(what, async () => {
      const { code: exit, out, err } = await check(manifests);
      assert.deepEqual([exit, out], [2, '']);
      assert.match(err, message);
    });
  }
});

describe('suites', () => {
  const suiteOf = async (text: string): Promise<CliResult> => {
    const write = (name: string, manifests: readonly Manifest[]): Promise<void> =>
      writeFile(join(folder, name), manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n'));
    await write('code.yaml', [configMap({ name: 'code', namespace: 'team-a' })]);
    await write('policy.yaml', [policy({ name: 'own', namespace: 'team-a' }, MODULE, 'NamespacedPolicy')]);
    await write('group.yaml', [
      configMap({ name: 'code' }),
      ours('PolicyGroup', { name: 'g' }, { expression: 'a()', message: 'm', members: { a: program('x') } }),
    ]);
    const path = join(folder, 'suite.yaml');
    await writeFile(path, text);
    return runCli(['test', path]);
  };
  const testCase = (namespace: string, expect: string): string =>
    `  - { name: ${namespace}, review: { object: ${pod(namespace)} }, expect: ${expect} }\n`;

  test('test namespaced policies whose modules stand in another file', async () => {
    const {
      code: exit,
      out,
      err,
    } = await suiteOf(
      `policy: [policy.yaml, code.yaml]\ncases:\n${testCase('team-a', '{ allowed: false }')}${testCase('team-b', '{ allowed: true, matched: false }')}`,
    );
    assert.equal(exit, 0, out + err);
    assert.match(out, /^2 passed, 0 failed$/m);
  });

  test('cannot replace the settings of a group, which has none', async () => {
    const { code: exit, out } = await suiteOf(
      `policy: group.yaml\nsettings: { a: 1 }\ncases:\n${testCase('a', '{ allowed: true }')}`,
    );
    assert.equal(exit, 1);
    assert.match(out, /`settings` of a suite are of no use to a group/);
  });
});

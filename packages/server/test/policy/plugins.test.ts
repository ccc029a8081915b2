import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isFault } from '../../src/kernel/fault.ts';
import { parsePluginRegistration } from '../../src/policy/parse-plugin-registration.ts';
import { parsePluginsFile } from '../../src/policy/parse-plugins-file.ts';

const ORIGIN = { source: 'plugins', location: 'plugins.yaml' };
const DIGEST = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9';

test('an entry with everything', () => {
  const text = `plugins:
- metadata:
    name: registry-check
    version: "1.2.0"
    description: registries
    author: ana
    sha256: sha256:${DIGEST.toUpperCase()}
    limits: { timeoutMs: 250, max_memory_bytes: 65536, maxFuel: 5 }
  config_map_ref: { name: registry-check, key: plugin.wasm, namespace: policy }
  operations: [Create, delete]
  fail_open: true
  mutating: true
  pluginConfig: { registries: [docker.io/stellar/], snake_key: null }
`;
  assert.deepEqual(parsePluginsFile(text, ORIGIN), [
    {
      result: {
        metadata: {
          name: 'registry-check',
          version: '1.2.0',
          description: 'registries',
          labels: {},
          annotations: { 'portcullis.dev/author': 'ana' },
        },
        spec: {
          gate: 'admission',
          phase: 'mutate',
          order: 10,
          mode: 'enforce',
          failurePolicy: 'Ignore',
          match: {
            operations: ['CREATE', 'DELETE'],
            resources: [],
            namespaces: [],
            excludedNamespaces: [],
            conditions: [],
          },
          engine: 'plugin',
          module: {
            configMap: { name: 'registry-check', key: 'plugin.wasm', namespace: 'policy' },
            sha256: DIGEST,
          },
          settings: { registries: ['docker.io/stellar/'], snake_key: null },
          limits: { timeoutMs: 250, memoryBytes: 65_536, fuel: 5 },
          capabilities: [],
          enabled: true,
        },
        origin: { ...ORIGIN, line: 2 },
      },
    },
  ]);
});

test('an entry with the necessary has the defaults of the plugin contract', () => {
  const [parsed] = parsePluginsFile(
    'plugins: [{ metadata: { name: a, version: v1 }, wasmBinary: AGFzbQ== }]',
    ORIGIN,
  );
  assert.ok(parsed !== undefined && !isFault(parsed.result));
  const { spec } = parsed.result;
  assert.equal(spec.phase, 'validate');
  assert.equal(spec.failurePolicy, 'Fail');
  assert.deepEqual(spec.match.operations, ['CREATE', 'UPDATE']);
  assert.deepEqual(spec.limits, { timeoutMs: 1000, memoryBytes: 16_777_216, fuel: 1_000_000 });
  assert.deepEqual(spec.module, { inline: 'AGFzbQ==' });
  assert.deepEqual(spec.settings, {});
});

const entry = (name: string, rest = 'url: "https://x/a.wasm"'): string =>
  `- { metadata: { name: ${name}, version: v1 }, ${rest} }\n`;

test('the order is that of registration, and a name that comes again replaces and moves to the end', () => {
  const documents = parsePluginsFile(
    `plugins:\n${entry('a')}${entry('b')}${entry('a', 'url: "https://y/"')}${entry('c')}`,
    ORIGIN,
  );
  assert.deepEqual(
    documents.map(
      ({ result, warnings }) =>
        isFault(result) || [result.metadata.name, result.spec.order, result.spec.module.url, warnings],
    ),
    [
      ['b', 10, 'https://x/a.wasm', undefined],
      ['a', 20, 'https://y/', ['plugin `a` stands more than once, the last one counts']],
      ['c', 30, 'https://x/a.wasm', undefined],
    ],
  );
});

test('database triggers never match a request', () => {
  const file = `plugins:\n${entry('a', 'url: "https://x", operations: [DB_TRIGGER, Update]')}${entry('b', 'url: "https://x", operations: [DbTrigger]')}`;
  const documents = parsePluginsFile(file, ORIGIN);
  assert.deepEqual(
    documents.map(
      ({ result, warnings }) =>
        isFault(result) || [result.spec.match.operations, result.spec.enabled, warnings],
    ),
    [
      [['UPDATE'], true, ['plugin `a`: `DBTRIGGER` is no operation of the admission gate']],
      [
        [],
        false,
        ['plugin `b`: `DBTRIGGER` is no operation of the admission gate, so the plugin is disabled'],
      ],
    ],
  );
});

test('a bad entry names its place and does not take the others down', () => {
  const documents = parsePluginsFile(
    `plugins:\n${entry('good')}${entry('bad', 'url: "https://x", wasm_binary: "a b", fail_opn: true')}${entry('none', 'enabled: true')}${entry('op', 'url: "https://x", operations: [CREAT]')}${entry('empty', 'url: "https://x", operations: []')}- 5\n`,
    ORIGIN,
  );
  assert.deepEqual(
    documents.map(({ result, name }) =>
      isFault(result) ? [result.code, name, result.message] : result.metadata.name,
    ),
    [
      'good',
      [
        'PC_POLICY_BASE64',
        'bad',
        'plugins.yaml:3:61: plugins[1].wasmBinary: is not standard base64 with padding; plugins.yaml:3:81: plugins[1].failOpn: unknown key, did you mean `failOpen`?',
      ],
      [
        'PC_POLICY_VALUE',
        'none',
        'plugins.yaml:4:3: plugins[2]: must name one of `wasmBinary`, `configMapRef`, `secretRef`, `url`',
      ],
      [
        'PC_POLICY_VALUE',
        'op',
        'plugins.yaml:5:73: plugins[3].operations[0]: must be one of `CREATE`, `UPDATE`, `DELETE`, `CONNECT`, not `CREAT`, did you mean `CREATE`?',
      ],
      ['PC_POLICY_VALUE', 'empty', 'plugins.yaml:6:63: plugins[4].operations: must not be empty'],
      [
        'PC_POLICY_VALUE',
        undefined,
        'plugins.yaml:7:3: plugins[5]: must be a mapping of keys, not the number `5`',
      ],
    ],
  );
});

test('files that are no plugins.yaml', () => {
  const faults = ['', '- a', 'plugin: []', 'plugins: {}'].map((text) => {
    const [only] = parsePluginsFile(text, ORIGIN);
    assert.ok(isFault(only?.result));
    return only.result.message;
  });
  assert.deepEqual(faults, [
    'plugins.yaml: holds no document, remove the file or write a policy into it',
    'plugins.yaml:1:1: must be a mapping of keys, not a list',
    'plugins.yaml:1:1: plugins: is required; plugins.yaml:1:1: plugin: unknown key, did you mean `plugins`?',
    'plugins.yaml:1:1: plugins: must be a list, not a mapping',
  ]);
  assert.deepEqual(parsePluginsFile('plugins: []', ORIGIN), []);
  assert.deepEqual(parsePluginsFile('plugins:', ORIGIN), []);
});

test('a registration as a client of the reference sends it', () => {
  const policy = parsePluginRegistration(
    {
      metadata: {
        name: 'a',
        version: '1',
        description: null,
        author: null,
        sha256: null,
        limits: { timeoutMs: 5 },
      },
      wasm_binary: 'AGFzbQ==',
      operations: ['CREATE'],
      enabled: false,
      fail_open: true,
    },
    70,
  );
  assert.ok(!isFault(policy));
  assert.equal(policy.spec.order, 70);
  assert.equal(policy.spec.enabled, false);
  assert.equal(policy.spec.failurePolicy, 'Ignore');
  assert.equal(policy.spec.limits.timeoutMs, 5);
  assert.deepEqual(policy.spec.module, { inline: 'AGFzbQ==' });
  assert.deepEqual(policy.origin, { source: 'plugins', location: 'POST /plugins' });
});

test('a bad registration names the key', () => {
  const metadata = { name: 'a', version: '1' };
  const cases: readonly (readonly [unknown, string, string])[] = [
    [null, 'PC_POLICY_VALUE', 'must be a mapping of keys, not null'],
    [{ metadata, wasm_binary: '*' }, 'PC_POLICY_BASE64', 'wasmBinary: is not standard base64 with padding'],
    [{ metadata: { name: 'a' }, wasm_binary: 'AGFz' }, 'PC_POLICY_VALUE', 'metadata.version: is required'],
    [
      { metadata, wasm_binary: 'AGFz', wasmBinary: 'AGFz' },
      'PC_POLICY_KEY',
      'wasm_binary: unknown key, did you mean `wasmBinary`?',
    ],
    [
      { metadata, wasm_binary: 'AGFz', url: 'https://x' },
      'PC_POLICY_VALUE',
      'must name only one of `wasmBinary`, `configMapRef`, `secretRef`, `url`, not `wasmBinary` and `url`',
    ],
  ];
  for (const [body, code, message] of cases) {
    const fault = parsePluginRegistration(body);
    assert.ok(isFault(fault));
    assert.deepEqual([fault.code, fault.message], [code, message]);
  }
});

test('no JSON makes the registration throw', () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom('metadata', 'operations', 'pluginConfig', 'config_map_ref'),
      (value, key) => {
        assert.ok(isFault(parsePluginRegistration(value)));
        const body = { metadata: { name: 'a', version: '1' }, wasm_binary: 'AGFz', [key]: value };
        const parsed = parsePluginRegistration(body);
        if (!isFault(parsed)) assert.equal(parsed.metadata.name, 'a');
      },
    ),
    { seed: 3, numRuns: 1000 },
  );
});

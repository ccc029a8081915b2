import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Policy } from '@portcullis/contract';
import * as fc from 'fast-check';
import { isFault } from '../../src/kernel/fault.ts';
import { parseWasiModules, type WasiModulesGate } from '../../src/policy/parse-wasi-modules.ts';

const ORIGIN = { source: 'file', location: 'modules.yaml', directory: '/etc/portcullis' };
const DIGEST = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9';
const RULE = '{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}';

function policies(text: string, gate: WasiModulesGate = 'admission'): readonly Policy[] {
  return parseWasiModules(text, ORIGIN, gate).documents.map(({ result }) => {
    assert.ok(!isFault(result), isFault(result) ? result.message : '');
    return result;
  });
}

function messages(text: string, gate: WasiModulesGate = 'admission'): readonly string[] {
  return parseWasiModules(text, ORIGIN, gate).documents.map(({ result }) =>
    isFault(result) ? `${result.code} ${result.message}` : 'read',
  );
}

test('an entry with nothing but the necessary gets every default', () => {
  const [policy] = policies('modules:\n- module: modules/desk.wasm\n', 'authentication');
  assert.deepEqual(policy, {
    metadata: { name: 'desk.wasm', labels: {}, annotations: {} },
    spec: {
      gate: 'authentication',
      phase: 'validate',
      order: 10,
      mode: 'enforce',
      failurePolicy: 'Fail',
      match: { operations: [], resources: [], namespaces: [], excludedNamespaces: [], conditions: [] },
      engine: 'wasi',
      module: { file: 'modules/desk.wasm' },
      settings: null,
      limits: { timeoutMs: 1000, memoryBytes: 64 * 1024 ** 2, fuel: 1e11, outputBytes: 4 * 1024 ** 2 },
      capabilities: [],
      enabled: true,
    },
    origin: { ...ORIGIN, line: 2 },
  });
});

test('an authenticator may be allowed names of Kubernetes itself, and nobody else', () => {
  const text = 'modules:\n- module: desk.wasm\n  systemNames: ["system:node:*"]\n';
  assert.deepEqual(policies(text, 'authentication')[0]?.spec.systemNames, ['system:node:*']);
  assert.match(messages(text, 'authorization')[0] ?? '', /^PC_POLICY_KEY .*systemNames: unknown key/);
});

test('an entry for admission with everything', () => {
  const [policy] = policies(`modules:
- name: labels
  module: /m/labels.wasm
  settings: {annotations: {a: b}}
  type: kubewarden
  mutating: true
  rules:
  - {operations: [CREATE, UPDATE], apiGroups: [""], apiVersions: [v1], resources: [pods], scope: Namespaced}
  - {operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"]}
  timeout: 250ms
  memory: 8Mi
  output: 1Mi
  concurrency: 8
  onError: ignore
  removals: refuse
  removable: [/spec/hostNetwork]
  sha256: sha256:${DIGEST}
`);
  assert.ok(policy !== undefined);
  assert.equal(policy.metadata.name, 'labels');
  const { spec } = policy;
  assert.deepEqual(
    [spec.engine, spec.phase, spec.failurePolicy, spec.settings, spec.module],
    [
      'kubewarden',
      'mutate',
      'Ignore',
      { annotations: { a: 'b' } },
      { file: '/m/labels.wasm', sha256: DIGEST },
    ],
  );
  const rule = { apiVersions: ['v1'], resources: ['pods'], resourceNames: [] };
  assert.deepEqual(spec.match.resources, [
    { ...rule, apiGroups: [''], scope: 'Namespaced', operations: ['CREATE', 'UPDATE'] },
    { apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'], resourceNames: [], scope: '*' },
  ]);
  assert.deepEqual(spec.mutation, { removals: 'refuse', removable: ['/spec/hostNetwork'] });
  assert.deepEqual(spec.limits, {
    timeoutMs: 250,
    memoryBytes: 8 * 1024 ** 2,
    fuel: 1e11,
    outputBytes: 1024 ** 2,
    concurrency: 8,
  });
});

test('settings are null when there are none, and otherwise what stands there', () => {
  const entry = (settings: string): string => `modules: [{name: a, module: a.wasm${settings}}]`;
  const read = ['', ', settings: null', ', settings: {}', ', settings: []', ', settings: false'].map(
    (settings) => policies(entry(settings), 'authorization')[0]?.spec.settings,
  );
  assert.deepEqual(read, [null, null, {}, [], false]);
});

test('a key without a value is not there, and neither is an empty name', () => {
  const [policy, ...others] = policies(`modules:
- name:
  module: /m/a.wasm
  settings:
  debug: ~
  type: null
  timeout:
  rules:
  - {operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods], scope: }
- {name: "", module: b.wasm, settings: {a: null}, rules: }
`);
  assert.deepEqual(
    [policy?.metadata.name, policy?.spec.engine, policy?.spec.settings, policy?.spec.limits.timeoutMs],
    ['a.wasm', 'wasi', null, 1000],
  );
  assert.equal(policy?.spec.match.resources[0]?.scope, '*');
  assert.deepEqual(
    others.map(({ metadata, spec }) => [metadata.name, spec.settings, spec.enabled]),
    [['b.wasm', { a: null }, false]],
  );
  assert.match(messages('modules: [{name: a, module: }]')[0] ?? '', /no module path specified/);
});

test('an authorizer without an answer has no opinion, or denies where it is there to deny', () => {
  const text = 'modules: [{module: a.wasm}, {module: b.wasm, onError: deny}]';
  assert.deepEqual(
    policies(text, 'authorization').map(({ spec }) => spec.failurePolicy),
    ['Ignore', 'Fail'],
  );
});

test('without rules a module is never called, and that is told', () => {
  const { documents } = parseWasiModules('modules: [{module: a.wasm}]', ORIGIN, 'admission');
  assert.deepEqual(documents[0]?.warnings, ['module `a.wasm`: it has no `rules`, so it is never called']);
  assert.ok(!isFault(documents[0].result) && !documents[0].result.spec.enabled);
});

test('modules keep their order, and one that stands twice gets a name of its own', () => {
  const text = 'modules: [{module: x/a.wasm}, {module: b.wasm}, {module: y/a.wasm}]';
  assert.deepEqual(
    policies(text, 'authentication').map(({ metadata, spec }) => [metadata.name, spec.order]),
    [
      ['a.wasm', 10],
      ['b.wasm', 20],
      ['a.wasm-2', 30],
    ],
  );
});

test('a broken entry is told with its place and takes no other down', () => {
  const text = `modules:
- {module: a.wasm, mutatin: true, rules: [${RULE}]}
- {name: b, module: "", rules: [${RULE}]}
- {name: c, rules: [${RULE}]}
- {module: d.wasm, type: wapc, rules: [${RULE}]}
- {module: e.wasm, rules: [${RULE}]}
`;
  assert.deepEqual(messages(text), [
    'PC_POLICY_KEY modules.yaml:2:20: modules[0].mutatin: unknown key, did you mean `mutating`?',
    'PC_POLICY_VALUE modules.yaml:3:13: modules[1].module: no module path specified',
    'PC_POLICY_VALUE modules.yaml:4:3: modules[2].module: no module path specified',
    'PC_POLICY_VALUE modules.yaml:5:20: modules[3].type: must be one of `wasi`, `kubewarden`, not the text `wapc`, did you mean `wasi`?',
    'read',
  ]);
});

test('keys of another gate are unknown', () => {
  const text = 'modules: [{module: a.wasm, onError: deny}]';
  assert.match(messages(text, 'authentication')[0] ?? '', /^PC_POLICY_KEY .*onError: unknown key/);
  assert.match(
    messages(text, 'admission')[0] ?? '',
    /^PC_POLICY_VALUE .*onError: must be one of `fail`, `ignore`/,
  );
});

const CONFIGURATION = `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration: {any: thing}
- name: WASM
`;

test('an AdmissionConfiguration has the modules of its plugin WASM, or names their file', () => {
  const inline = `${CONFIGURATION}  configuration: {modules: [{name: a, module: a.wasm, rules: [${RULE}]}]}\n`;
  const [policy] = policies(inline);
  assert.deepEqual([policy?.metadata.name, policy?.origin.line], ['a', 7]);
  assert.deepEqual(parseWasiModules(`${CONFIGURATION}  path: wasm.yaml\n`, ORIGIN, 'admission'), {
    documents: [],
    file: 'wasm.yaml',
  });
  assert.deepEqual(policies(CONFIGURATION.replace('WASM', 'Other')), []);
  assert.match(messages(CONFIGURATION)[0] ?? '', /plugins\[1\]: must have either `path` or `configuration`/);
});

test('a file without any document is a fault, and any text is read without throwing', () => {
  assert.deepEqual(messages(''), [
    'PC_POLICY_SYNTAX modules.yaml: holds no document, remove the file or write a policy into it',
  ]);
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('', 'modules: ', `${CONFIGURATION}  `), (text, before) => {
      assert.ok(Array.isArray(parseWasiModules(before + text, ORIGIN, 'admission').documents));
    }),
    { numRuns: 200, seed: 3 },
  );
});

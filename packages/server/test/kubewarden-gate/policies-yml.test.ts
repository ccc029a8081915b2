import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Policy } from '@portcullis/contract';
import * as fc from 'fast-check';
import { isFault, type Fault } from '../../src/kernel/fault.ts';
import type { KubewardenReading } from '../../src/policy/kubewarden/kubewarden-policy.ts';
import { parsePoliciesYml } from '../../src/policy/parse-policies-yml.ts';
import type { ParsedDocument } from '../../src/policy/parse-policies.ts';

const ORIGIN = { source: 'file', location: 'policies.yml', directory: '/etc/policies' };
const READING: KubewardenReading = { reach: 'name', timeoutMs: 2000, monitorWarnings: false };

function read(text: string, reading: Partial<KubewardenReading> = {}): readonly ParsedDocument[] {
  return parsePoliciesYml(text, ORIGIN, { ...READING, ...reading });
}

function readOne(text: string, reading: Partial<KubewardenReading> = {}): Policy {
  const { result } = read(text, reading)[0] as ParsedDocument;
  assert.ok(!isFault(result), isFault(result) ? result.message : '');
  return result;
}

function refusal(text: string): Fault {
  const { result } = read(text)[0] as ParsedDocument;
  assert.ok(isFault(result), 'it was read');
  return result;
}

test('the file of the reference is read as it is', () => {
  const entries = read(`
labels:
  module: registry://ghcr.io/acme/labels:v1
  policyMode: protect
  allowedToMutate: true
  settings: {required: [team], max: 9007199254740993}
  contextAwareResources: [{apiVersion: v1, kind: Namespace}]
  hostCapabilities: ["oci/v2/*"]
  timeoutEvalSeconds: 3
  message: add a team label
either:
  policyMode: monitor
  expression: "a() || !b()"
  message: neither rule holds
  policies:
    a: {module: "registry://ghcr.io/acme/a:v1"}
    b: {module: "registry://ghcr.io/acme/b:v1", settings: {max: 3}}
`);
  assert.deepEqual(
    entries.map(({ warnings }) => warnings),
    [undefined, undefined],
  );
  const [labels, either] = entries.map(({ result }) => result as Policy) as [Policy, Policy];
  assert.equal(labels.metadata.name, 'labels');
  assert.deepEqual(labels.byName, { mayMutate: true });
  assert.deepEqual(labels.spec.module, { oci: 'ghcr.io/acme/labels:v1' });
  assert.equal(labels.spec.mode, 'enforce');
  assert.equal(labels.spec.limits.timeoutMs, 3000);
  assert.equal(labels.spec.message, 'add a team label');
  assert.deepEqual(labels.spec.capabilities, ['oci/v2/*', 'kubernetes/inventory']);
  assert.deepEqual(labels.spec.contextAwareResources, [{ apiVersion: 'v1', kind: 'Namespace' }]);
  assert.equal(JSON.stringify(labels.spec.settings), '{"required":["team"],"max":9007199254740993}');
  assert.deepEqual(labels.origin, { ...ORIGIN, line: 2 });
  assert.equal(either.spec.mode, 'audit');
  assert.equal(either.group?.expression, 'a() || !b()');
  assert.deepEqual(Object.keys(either.group.members), ['a', 'b']);
  assert.equal(either.group.members['b']?.metadata.name, 'either/b');
  assert.deepEqual(either.group.members['b'].spec.settings, { max: 3 });
  assert.equal(either.spec.limits.timeoutMs, 4000);
});

test('what is absent or null has the defaults of the reference', () => {
  const { spec, byName } = readOne(
    'p: {module: "ghcr.io/acme/p:v1", settings: null, message: null, timeoutEvalSeconds: null, hostCapabilities: null}',
  );
  assert.deepEqual(spec.module, { oci: 'ghcr.io/acme/p:v1' });
  assert.deepEqual(spec.settings, {});
  assert.deepEqual(spec.capabilities, []);
  assert.equal(spec.contextAwareResources, undefined);
  assert.equal(spec.message, undefined);
  assert.equal(spec.mode, 'enforce');
  assert.equal(spec.limits.timeoutMs, 2000);
  assert.deepEqual(byName, { mayMutate: false });
});

test('the address of a module says where it is', () => {
  const module = (address: string): unknown => readOne(`p: {module: ${JSON.stringify(address)}}`).spec.module;
  assert.deepEqual(module('registry://localhost:5000/p@sha256:aa'), { oci: 'localhost:5000/p@sha256:aa' });
  assert.deepEqual(module('https://example.com/p.wasm'), { url: 'https://example.com/p.wasm' });
  assert.deepEqual(module('http://example.com/p.wasm'), { url: 'http://example.com/p.wasm' });
  assert.deepEqual(module('file:///tmp/a%20b.wasm'), { file: '/tmp/a b.wasm' });
  assert.deepEqual(module('file://p.wasm'), { file: 'p.wasm' });
  assert.deepEqual(readOne('p: {url: "registry://ghcr.io/p:v1"}').spec.module, { oci: 'ghcr.io/p:v1' });
});

test('weakness 11: a wrong value is told with line, column, path and what was expected', () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      'p:\n  policyMode: protct\n  module: a',
      'policies.yml:2:3: p.policyMode: must be one of `protect`, `monitor`, not the text `protct`, did you mean `protect`?',
    ],
    [
      'p:\n  module: ftp://a/b',
      'policies.yml:2:3: p.module: has the scheme `ftp`; known: `registry`, `https`, `http`, `file`',
    ],
    [
      'p:\n  module: https://me:secret@host/x',
      'policies.yml:2:3: p.module: must not hold a user name or password',
    ],
    ['p:\n  settings: [1]\n  module: a', 'policies.yml:2:3: p.settings: must be a mapping of keys'],
    ['p:\n  settings: {}', 'policies.yml:1:1: p.module: is required'],
    ['p: 7', 'policies.yml:1:1: p: must be a mapping of keys, not the number `7`'],
    ['a/b: {module: x}', 'policies.yml:1:1: ["a/b"]: the name must not contain `/`'],
    [
      'g:\n  expression: a(\n  message: m\n  policies: {a: {module: x}}',
      'policies.yml:1:1: g: the expression of the group is no CEL: ',
    ],
    [
      'g:\n  expression: "a() && zz()"\n  message: m\n  policies: {a: {module: x}}',
      'policies.yml:1:1: g: the expression of the group, column 8: there is no member `zz`, known: `a`',
    ],
    ['g:\n  expression: "a()"\n  policies: {a: {module: x}}', 'policies.yml:1:1: g.message: is required'],
    ['- p', 'policies.yml:1: must be a mapping of ids to policies'],
    ['', 'policies.yml: holds nothing; write policies under their ids, or `{}` when there are none'],
    [
      'a: {module: x}\n---\nb: {module: x}',
      'policies.yml:3: there is a second document; a `policies.yml` is one mapping',
    ],
  ];
  for (const [text, expected] of cases) {
    const { message } = refusal(text);
    assert.ok(
      message.startsWith(expected),
      `${JSON.stringify(text)}\n  said   ${message}\n  wanted ${expected}`,
    );
    assert.ok(!message.includes('secret'));
  }
});

test('an unknown key has no effect, as in the reference, and is told with its place', () => {
  const [entry] = read(`
labels:
  module: a
  policymode: monitor
  contextAwareResources: [{apiVersion: v1, kind: Pod, namespaced: true}]
`);
  assert.ok(entry !== undefined && !isFault(entry.result));
  assert.equal(entry.result.spec.mode, 'enforce');
  assert.deepEqual(entry.warnings, [
    'policies.yml:4:3: labels.policymode: unknown key, it has no effect, did you mean `policyMode`?',
    'policies.yml:5:55: labels.contextAwareResources[0].namespaced: unknown key, it has no effect',
  ]);
});

test('an empty mapping is a file without policies', () => {
  assert.deepEqual(read('{}'), []);
});

test('a time that no API server waits is shortened, and a member that is never asked is left out: both are told', () => {
  const [slow, group] = read(`
slow: {module: a, timeoutEvalSeconds: 600}
g: {expression: "a()", message: m, policies: {a: {module: x}, b: {module: y}}}
`);
  assert.ok(slow !== undefined && !isFault(slow.result) && group !== undefined && !isFault(group.result));
  assert.equal(slow.result.spec.limits.timeoutMs, 30_000);
  assert.deepEqual(slow.warnings, [
    'policy `slow`: `timeoutEvalSeconds` is taken as 30, no API server waits longer',
  ]);
  assert.deepEqual(Object.keys(group.result.group?.members ?? {}), ['a']);
  assert.deepEqual(group.warnings, ['group `g`: the expression never asks `b`, so it is not loaded']);
});

test('weakness 12: members have any name', () => {
  const group = readOne(
    `g: {expression: 'member("signed-image") && plain()', message: m, policies: {signed-image: {module: x}, plain: {module: y}}}`,
  );
  assert.deepEqual(Object.keys(group.group?.members ?? {}), ['signed-image', 'plain']);
});

test('weakness 17: one bad policy in a file of fifty leaves forty-nine, and the fiftieth has its name', () => {
  const text = Array.from({ length: 50 }, (_, index) =>
    index === 49 ? 'p49: {module: a, policyMode: never}' : `p${index}: {module: a}`,
  ).join('\n');
  const entries = read(text);
  assert.equal(entries.filter(({ result }) => !isFault(result)).length, 49);
  const bad = entries.filter(({ result }) => isFault(result));
  assert.deepEqual(
    bad.map(({ name }) => name),
    ['p49'],
  );
});

test('weakness 17: not even YAML that readers understand differently takes the others down', () => {
  const entries = read(
    'a: {module: x}\nb: {module: x, message: no}\na: {module: y}\nc: {module: *none}\nd: {module: x}',
  );
  assert.deepEqual(
    entries.map(({ result, name }) => [
      name,
      isFault(result) ? result.message.slice(0, 50) : result.metadata.name,
    ]),
    [
      [undefined, 'a'],
      ['b', 'policies.yml:2:25: `no` is a boolean to some reade'],
      ['a', 'policies.yml:3:1: key `a` stands twice in one mapp'],
      ['c', 'policies.yml:4:13: alias `*none` has no anchor bef'],
      [undefined, 'd'],
    ],
  );
});

test('for offline checks and imports the entries are ordinary policies', () => {
  const plain = readOne('p: {module: a}', { reach: 'match' });
  assert.equal(plain.byName, undefined);
  assert.equal(plain.spec.phase, 'validate');
  assert.equal(readOne('p: {module: a, allowedToMutate: true}', { reach: 'match' }).spec.phase, 'mutate');
});

const key = fc.constantFrom(
  'module',
  'url',
  'policyMode',
  'settings',
  'policies',
  'expression',
  'message',
  'x',
  '__proto__',
  'timeoutEvalSeconds',
  'contextAwareResources',
);
const { tree } = fc.letrec<{ tree: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('protect', 'registry://a', 'a()'),
  ),
  tree: fc.oneof(
    { maxDepth: 4 },
    tie('leaf'),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc
      .array(fc.tuple(key, tie('tree')), { maxLength: 5 })
      .map((pairs) => Object.fromEntries(pairs) as object),
  ),
}));

test('property: whatever stands in a file, each entry is a policy that enforces limits, or a fault with its name', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ maxLength: 8 }), tree, { maxKeys: 4 }), (file) => {
      const entries = read(JSON.stringify(file));
      for (const { result } of entries) {
        if (isFault(result)) {
          assert.match(result.code, /^PC_POLICY_/);
          continue;
        }
        assert.ok(result.byName !== undefined, 'asked only by name');
        assert.ok(result.spec.limits.timeoutMs > 0 && result.spec.limits.timeoutMs <= 30_000);
        assert.ok(!result.metadata.name.includes('/'));
      }
      if (Object.keys(file).length > 0) assert.equal(entries.length > 0, true);
    }),
    { seed: 5, numRuns: 200 },
  );
});

test('property: any text is read without throwing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      assert.ok(Array.isArray(read(text)));
    }),
    { seed: 6, numRuns: 100 },
  );
});

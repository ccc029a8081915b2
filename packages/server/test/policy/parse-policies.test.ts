import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { z } from 'zod';
import { FAULTS } from '../../src/kernel/faults/catalogue.ts';
import { isFault } from '../../src/kernel/fault.ts';
import { stringifyExact } from '../../src/kernel/json/json-document.ts';
import { policyDocumentSchema } from '../../src/policy/document/policy-document-schema.ts';
import { parsePolicies } from '../../src/policy/parse-policies.ts';
import { documentOf, faultOf, ORIGIN, policyOf } from './parsing.ts';

test('a document with nothing but the necessary gets every default', () => {
  assert.deepEqual(policyOf('{ module: { file: a.wasm } }'), {
    metadata: { name: 'a', labels: {}, annotations: {} },
    spec: {
      gate: 'admission',
      phase: 'validate',
      order: 100,
      mode: 'enforce',
      failurePolicy: 'Fail',
      match: { operations: [], resources: [], namespaces: [], excludedNamespaces: [], conditions: [] },
      module: { file: 'a.wasm' },
      settings: null,
      limits: { timeoutMs: 1000, memoryBytes: 16_777_216, fuel: 10_000_000 },
      capabilities: [],
      enabled: true,
    },
    origin: { ...ORIGIN, line: 1 },
  });
});

test('every key of a document arrives', () => {
  const digest = 'A'.repeat(64);
  const { spec, metadata } = policyOf(
    `
  gate: admission
  phase: mutate
  order: -5
  mode: audit
  failurePolicy: Ignore
  enabled: false
  engine: plugin
  message: no
    entry
  module: { url: "https://example.com/a.wasm", sha256: "sha256:${digest}" }
  settings: [1, { deep: 12345678901234567890 }]
  limits: { timeout: 1m30s250ms, memory: 500k, fuel: 1 }`.replace('1m30s250ms', '2s500ms'),
  );
  assert.equal(metadata.name, 'a');
  assert.deepEqual(
    { ...spec, settings: stringifyExact(spec.settings) },
    {
      gate: 'admission',
      phase: 'mutate',
      order: -5,
      mode: 'audit',
      failurePolicy: 'Ignore',
      enabled: false,
      engine: 'plugin',
      message: 'no entry',
      match: { operations: [], resources: [], namespaces: [], excludedNamespaces: [], conditions: [] },
      module: { url: 'https://example.com/a.wasm', sha256: 'a'.repeat(64) },
      settings: '[1,{"deep":12345678901234567890}]',
      limits: { timeoutMs: 2500, memoryBytes: 500_000, fuel: 1 },
      capabilities: [],
    },
  );
});

test('match is read with its own defaults', () => {
  const { match } = policyOf(`
  module: { inline: "AGFz\\n bQ==" }
  match:
    operations: [CREATE, "*"]
    resources: [{ apiGroups: [""], apiVersions: [v1], resources: [pods, pods/exec, "*/scale"] }]
    namespaces: [kube-*]
    namespaceSelector: {}
    objectSelector: { matchLabels: { app: web }, matchExpressions: [{ key: a/b, operator: Exists }] }
    conditions: [{ name: c, expression: "true" }]`).spec;
  assert.deepEqual(match, {
    operations: [],
    resources: [
      {
        apiGroups: [''],
        apiVersions: ['v1'],
        resources: ['pods', 'pods/exec', '*/scale'],
        scope: '*',
        resourceNames: [],
      },
    ],
    namespaces: ['kube-*'],
    excludedNamespaces: [],
    namespaceSelector: { matchLabels: {}, matchExpressions: [] },
    objectSelector: {
      matchLabels: { app: 'web' },
      matchExpressions: [{ key: 'a/b', operator: 'Exists', values: [] }],
    },
    conditions: [{ name: 'c', expression: 'true' }],
  });
});

test('an error names code, file, line, column, key and what to do', () => {
  const file = 'module: { file: a }';
  const cases: readonly (readonly [string, string, string])[] = [
    [`{ ${file}, phas: mutate }`, 'PC_POLICY_KEY', `spec.phas: unknown key, did you mean \`phase\`?`],
    [
      `{ ${file}, timeout: 1s }`,
      'PC_POLICY_KEY',
      `spec.timeout: unknown key, did you mean \`spec.limits.timeout\`?`,
    ],
    [
      `{ ${file}, match: { operations: [CREAT] } }`,
      'PC_POLICY_VALUE',
      `spec.match.operations[0]: must be one of \`CREATE\`, \`UPDATE\`, \`DELETE\`, \`CONNECT\`, \`*\`, not the text \`CREAT\`, did you mean \`CREATE\`?`,
    ],
    [`{ ${file}, order: 1.5 }`, 'PC_POLICY_VALUE', `spec.order: must be a whole number, not \`1.5\``],
    [
      `{ ${file}, order: 12345678901234567890 }`,
      'PC_POLICY_VALUE',
      `spec.order: must be a number, not the number \`12345678901234567890\``,
    ],
    [
      `{ ${file}, message: 5 }`,
      'PC_POLICY_VALUE',
      `spec.message: must be a text, not the number \`5\`: put it in quotes`,
    ],
    [
      `{ ${file}, enabled: "true" }`,
      'PC_POLICY_VALUE',
      `spec.enabled: must be \`true\` or \`false\`, not the text \`true\``,
    ],
    [
      `{ ${file}, limits: { timeout: 31s } }`,
      'PC_POLICY_VALUE',
      `spec.limits.timeout: must be from \`1ms\` to \`30s\`, not \`31s\``,
    ],
    [
      `{ ${file}, limits: { memory: 1Ki } }`,
      'PC_POLICY_VALUE',
      `spec.limits.memory: must be from \`64Ki\` to \`1Gi\`, not \`1Ki\``,
    ],
    [`{ ${file}, limits: { fuel: 0 } }`, 'PC_POLICY_VALUE', `spec.limits.fuel: must be at least 1`],
    [
      `{ module: { file: a, sha256: 12ab } }`,
      'PC_POLICY_VALUE',
      `spec.module.sha256: must be 64 hex digits, not \`12ab\``,
    ],
    [
      `{ module: { inline: "a b" } }`,
      'PC_POLICY_BASE64',
      `spec.module.inline: is not standard base64 with padding`,
    ],
    [
      `{ module: { file: a, url: "https://x" } }`,
      'PC_POLICY_VALUE',
      `spec.module: must name only one of \`file\`, \`inline\`, \`url\`, \`oci\`, \`configMap\`, \`secret\`, not \`file\` and \`url\``,
    ],
    [
      `{ module: {} }`,
      'PC_POLICY_VALUE',
      `spec.module: must name one of \`file\`, \`inline\`, \`url\`, \`oci\`, \`configMap\`, \`secret\``,
    ],
    [`{ order: 1 }`, 'PC_POLICY_VALUE', `spec.module: is required`],
    [
      `{ ${file}, match: { objectSelector: { matchExpressions: [{ key: a, operator: In }] } } }`,
      'PC_POLICY_VALUE',
      `spec.match.objectSelector.matchExpressions[0].values: \`In\` needs at least one value`,
    ],
    [
      `{ ${file}, match: { objectSelector: { matchExpressions: [{ key: a, operator: Exists, values: [b] }] } } }`,
      'PC_POLICY_VALUE',
      `spec.match.objectSelector.matchExpressions[0].values: \`Exists\` takes no values`,
    ],
    [
      `{ ${file}, match: { objectSelector: { matchLabels: { "-a": b } } } }`,
      'PC_POLICY_VALUE',
      `spec.match.objectSelector.matchLabels.-a: must be a label key such as \`app.kubernetes.io/name\`, not \`-a\``,
    ],
    [
      `{ ${file}, match: { resources: [{ apiGroups: ["*", apps], apiVersions: [v1], resources: [pods] }] } }`,
      'PC_POLICY_VALUE',
      `spec.match.resources[0].apiGroups: \`*\` means every group and must stand alone`,
    ],
    [
      `{ ${file}, match: { resources: [{ apiGroups: [""], apiVersions: [v1], resources: [Pod] }] } }`,
      'PC_POLICY_VALUE',
      `spec.match.resources[0].resources[0]: must be a resource in lower case such as \`pods\`, \`pods/exec\`, \`*\` or \`*/scale\`, not \`Pod\``,
    ],
    [
      `{ ${file}, match: { namespaces: ["[a-z]"] } }`,
      'PC_POLICY_VALUE',
      `spec.match.namespaces[0]: must be the name of a namespace, \`*\` and \`?\` allowed, not \`[a-z]\``,
    ],
  ];
  for (const [spec, code, message] of cases) {
    const fault = faultOf(documentOf(spec));
    assert.deepEqual([fault.code, fault.message.replace(/^policies\/a\.yaml:4:\d+: /, '')], [code, message]);
  }
  const { data } = faultOf(documentOf(`{ ${file}, match: { operations: [CREAT] } }`));
  assert.deepEqual(data, { line: 4, column: 52, path: 'spec.match.operations[0]' });
});

test('all problems of a document are told, in the order of the text', () => {
  const fault = faultOf(documentOf('\n  order: x\n  module: { fil: a }\n  mode: warm'));
  assert.equal(
    fault.message,
    [
      'policies/a.yaml:5:3: spec.order: must be a number, not the text `x`',
      'policies/a.yaml:6:13: spec.module.fil: unknown key, did you mean `file`?',
      'policies/a.yaml:7:3: spec.mode: must be one of `enforce`, `warn`, `audit`, not the text `warm`, did you mean `warn`?',
    ].join('; '),
  );
});

test('one bad document does not take the others down, and its name is kept', () => {
  const good = documentOf('{ module: { file: a } }');
  const documents = parsePolicies(
    `# first\n${good}---\n${good.replace('name: a', 'name: b').replace('file', 'fil')}---\na: [\n---\n---\nkind: PolicyGroup\n---\n- 1\n--- text\n---\n${good.replace('name: a', 'name: c')}`,
    ORIGIN,
  );
  assert.deepEqual(
    documents.map(({ result, name }) => (isFault(result) ? [result.code, name] : result.metadata.name)),
    [
      'a',
      ['PC_POLICY_KEY', 'b'],
      ['PC_POLICY_SYNTAX', undefined],
      ['PC_POLICY_VALUE', undefined],
      ['PC_POLICY_VALUE', undefined],
      ['PC_POLICY_VALUE', undefined],
      'c',
    ],
  );
  const [first] = documents;
  const last = documents.at(-1);
  assert.ok(first !== undefined && !isFault(first.result) && last !== undefined && !isFault(last.result));
  assert.equal(first.result.origin.line, 2);
  assert.equal(last.result.origin.line, 20);
});

test('JSON is read too, tabs, escapes and long numbers included', () => {
  const text = `{\n\t"apiVersion": "portcullis.dev/v1", "kind": "Policy",\n\t"metadata": {"name": "a"},\n\t"spec": {"module": {"file": "a\\/\\ud83d\\ude00"}, "settings": {"n": 9007199254740993, "__proto__": 1, "e": 1e400}}\n}`;
  const [document] = parsePolicies(text, ORIGIN);
  assert.ok(document !== undefined && !isFault(document.result));
  assert.equal(document.result.spec.module.file, 'a/😀');
  assert.equal(
    stringifyExact(document.result.spec.settings),
    '{"n":9007199254740993,"__proto__":1,"e":1e400}',
  );
});

test('what readers of YAML understand differently is refused, and quotes make it a text', () => {
  for (const word of ['yes', 'No', 'ON', 'off', '012', '-07', '1_000', '0b11', '0x_ff']) {
    const fault = faultOf(documentOf(`{ module: { file: a }, settings: { a: ${word} } }`));
    assert.equal(fault.code, 'PC_POLICY_SYNTAX');
    assert.match(fault.message, /^policies\/a\.yaml:4:45: `.*` is .* to some readers of YAML/);
    const { settings } = policyOf(`{ module: { file: a }, settings: { a: "${word}" } }`).spec;
    assert.deepEqual(settings, { a: word });
  }
  assert.equal(faultOf('on: 1').code, 'PC_POLICY_SYNTAX');
});

test('numbers that every reader understands are read', () => {
  const { settings } = policyOf(
    '{ module: { file: a }, settings: [0x10, 0o17, 0, -0.0, +12, .5, 12., 1e3, 0.1, 123456789012345678.5] }',
  ).spec;
  assert.equal(stringifyExact(settings), '[16,15,0,0,12,0.5,12,1000,0.1,123456789012345678.5]');
});

test('texts that are no documents', () => {
  const bomb = `a: &a [${'1,'.repeat(20)}]\nb: &b [${'*a,'.repeat(20)}]\nc: &c [${'*b,'.repeat(20)}]\nd: [${'*c,'.repeat(20)}]`;
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /^policies\/a\.yaml: holds no document/],
    ['# nothing\n---\n', /^policies\/a\.yaml: holds no document/],
    ['a: 1\na: 2', /:2:1: key `a` stands twice in one mapping$/],
    ['{"a": 1, "a": 2}', /:1:10: key `a` stands twice in one mapping$/],
    ['a:\n\tb: 1', /:2:1: not well-formed: tabs are not allowed as indentation$/],
    ['a: *b', /:1:4: alias `\*b` has no anchor before it$/],
    ['a: &a [*a]', /:1:8: alias `\*a` has no anchor before it$/],
    [bomb, /aliases stand for more than 10000 nodes$/],
    ['a: !!binary aGk=', /:1:\d+: tag `.*binary` is not supported$/],
    ['a: !foo x', /:1:\d+: tag `!foo` is not supported$/],
    ['<<: { a: 1 }', /:1:1: merge keys/],
    ['? [a]\n: b', /:1:3: a key must be a plain text$/],
    ['a: .nan', /:1:4: `\.nan` is not a number that JSON knows$/],
    ['a: "\\ud800"', /:1:4: the text holds a lone surrogate$/],
    [`a: ${'['.repeat(200)}${']'.repeat(200)}`, /more than 128 levels of nesting$/],
    ['['.repeat(100_000), /nested too deeply|not well-formed/],
  ];
  for (const [text, message] of cases) {
    const fault = faultOf(text);
    assert.equal(fault.code, 'PC_POLICY_SYNTAX', text.slice(0, 80));
    assert.match(fault.message, message);
  }
});

test('names are DNS-1123 subdomains', () => {
  const named = (name: string): boolean =>
    !isFault(
      parsePolicies(documentOf('{ module: { file: a } }').replace('name: a', `name: ${name}`), ORIGIN)[0]
        ?.result,
    );
  for (const name of ['a', 'a-b.c', '"0"', 'x'.repeat(63), `${'x'.repeat(63)}.y`])
    assert.ok(named(name), name);
  for (const name of [
    'A',
    'a_b',
    '-a',
    'a-',
    'a..b',
    '""',
    '"a\\n"',
    'x'.repeat(64),
    Array(140).fill('a').join('.'),
  ]) {
    assert.ok(!named(name), name);
  }
});

test('no text makes the parser throw, and every fault is of the catalogue and names the file', () => {
  const pieces = fc.constantFrom(
    ...'apiVersion|kind|metadata|name|spec|module|match|limits|: |- |{|}|[|]|,|"|&a |*a|!!str |\n|\n  |---\n|yes|012|1e9|null|~|?|%YAML 1.1\n|#|\t|\u0000|\ufeff|\ud800'.split(
      '|',
    ),
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (input) => {
      const documents = parsePolicies(input, ORIGIN);
      assert.ok(documents.length > 0);
      for (const { result } of documents) {
        assert.ok(isFault(result));
        assert.ok(result.code in FAULTS);
        assert.ok(result.message.startsWith('policies/a.yaml:'), result.message);
      }
    }),
    { seed: 7, numRuns: 2000 },
  );
});

test('a valid document with one value changed gives a policy or a fault with a position', () => {
  const value = fc.jsonValue({ maxDepth: 2 });
  const keys = [
    'gate',
    'phase',
    'order',
    'mode',
    'match',
    'engine',
    'module',
    'limits',
    'message',
    'enabled',
    'capabilities',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...keys), value, (key, changed) => {
      const document = {
        apiVersion: 'portcullis.dev/v1',
        kind: 'Policy',
        metadata: { name: 'a' },
        spec: { module: { file: 'a' }, [key]: changed },
      };
      const [parsed] = parsePolicies(JSON.stringify(document), ORIGIN);
      assert.ok(parsed !== undefined);
      if (isFault(parsed.result)) assert.match(parsed.result.message, /^policies\/a\.yaml:1:\d+: spec\./);
    }),
    { seed: 8, numRuns: 1000 },
  );
});

test('the schema gives a JSON Schema in which every key is described', () => {
  const schema = z.toJSONSchema(policyDocumentSchema, { io: 'input' }) as JsonSchema;
  const undescribed: string[] = [];
  walk(schema, '', undescribed);
  assert.deepEqual(undescribed, []);
  assert.ok(
    (schema.properties?.['spec']?.properties?.['match']?.properties?.['conditions'] ?? undefined) !==
      undefined,
  );
});

interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

function walk(schema: JsonSchema, path: string, undescribed: string[]): void {
  for (const [key, member] of Object.entries(schema.properties ?? {})) {
    if (member.description === undefined) undescribed.push(`${path}.${key}`);
    walk(member, `${path}.${key}`, undescribed);
  }
  if (schema.items !== undefined) walk(schema.items, `${path}[]`, undescribed);
}

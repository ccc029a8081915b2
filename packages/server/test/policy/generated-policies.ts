import type {
  JsonValue,
  LabelSelector,
  Match,
  ModuleReference,
  Policy,
  ResourceRule,
} from '@portcullis/contract';
import * as fc from 'fast-check';
import { exactNumber } from '../../src/kernel/json/exact-json.ts';

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
const text = fc.string({ minLength: 1, unit: 'grapheme' }).filter((value) => value.trim() !== '');
const few = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(value, { maxLength: 3 });

/** Settings with numbers that doubles do not hold. */
const settings: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<JsonValue>(
      null,
      true,
      false,
      0,
      0.1,
      exactNumber('9007199254740993'),
      exactNumber('1e400'),
    ),
    fc.string({ unit: 'grapheme' }),
    fc.integer(),
    few(tie('value')),
    fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 5 }), tie('value'), { maxKeys: 3 }),
  ),
})).value;

const selector: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: fc.dictionary(word, word, { maxKeys: 2 }),
  matchExpressions: few(
    fc.oneof(
      fc.record({
        key: word,
        operator: fc.constantFrom('In' as const, 'NotIn' as const),
        values: fc.array(word, { minLength: 1, maxLength: 2 }),
      }),
      fc.record({
        key: word,
        operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const),
        values: fc.constant([]),
      }),
    ),
  ),
});

const rule: fc.Arbitrary<ResourceRule> = fc.record({
  apiGroups: fc.constantFrom(['*'], [''], ['apps', 'batch']),
  apiVersions: fc.constantFrom(['*'], ['v1']),
  resources: fc.array(fc.constantFrom('*', '*/*', 'pods', 'pods/*', 'pods/exec', '*/scale'), {
    minLength: 1,
    maxLength: 3,
  }),
  scope: fc.constantFrom('*', 'Cluster', 'Namespaced'),
  resourceNames: few(word),
});

const match: fc.Arbitrary<Match> = fc.record(
  {
    operations: few(fc.constantFrom('CREATE', 'UPDATE', 'DELETE', 'CONNECT')),
    resources: few(rule),
    namespaces: few(fc.constantFrom('*', 'kube-*', 'a?', 'default')),
    excludedNamespaces: few(fc.constantFrom('*', 'kube-*', 'a?', 'default')),
    namespaceSelector: selector,
    objectSelector: selector,
    conditions: fc.uniqueArray(fc.record({ name: word, expression: text }), {
      selector: ({ name }) => name,
      maxLength: 3,
    }),
  },
  { requiredKeys: ['operations', 'resources', 'namespaces', 'excludedNamespaces', 'conditions'] },
);

const reference = fc.record({ name: word, key: text, namespace: word }, { requiredKeys: ['name', 'key'] });
const digest = fc.stringMatching(/^[0-9a-f]{64}$/);
const module: fc.Arbitrary<ModuleReference> = fc
  .oneof(
    fc.record({ file: text }),
    fc.record({ url: word.map((host) => `https://${host}.example/a.wasm`) }),
    fc.record({
      inline: fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    }),
    fc.record({ oci: text }),
    fc.record({ configMap: reference }),
    fc.record({ secret: reference }),
  )
  .chain((place) =>
    fc.option(digest).map((sha256) => (sha256 === null ? { ...place } : { ...place, sha256 })),
  );

const access = fc.record(
  {
    verbs: fc.array(word, { minLength: 1, maxLength: 3 }),
    nonResourceURLs: fc.array(fc.constantFrom('*', '/healthz', '/logs/*'), { minLength: 1, maxLength: 3 }),
    users: fc.array(text, { minLength: 1, maxLength: 3 }),
    groups: fc.array(text, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);

/** With what means something at its gate, and nothing else. */
function fitGate(policy: Omit<Policy, 'origin'>, wish: Partial<Match>): Omit<Policy, 'origin'> {
  const { gate, match: any } = policy.spec;
  const { systemNames, ...spec } = policy.spec;
  if (gate === 'admission') return { ...policy, spec };
  const bare = { operations: [], resources: [], namespaces: [], excludedNamespaces: [] };
  const { resources, namespaces, excludedNamespaces, conditions } = any;
  const fitting: Match =
    gate === 'authentication'
      ? { ...bare, conditions }
      : { ...bare, resources, namespaces, excludedNamespaces, conditions, ...wish };
  const given = gate === 'authentication' && systemNames !== undefined ? { systemNames } : {};
  return { ...policy, spec: { ...spec, ...given, phase: 'validate', match: fitting } };
}

const policyOfAnyGate: fc.Arbitrary<Omit<Policy, 'origin'>> = fc.record({
  metadata: fc.record(
    {
      name: word,
      version: text,
      description: fc.string({ unit: 'grapheme' }),
      labels: fc.dictionary(word, text, { maxKeys: 2 }),
      annotations: fc.dictionary(text, text, { maxKeys: 2 }),
    },
    { requiredKeys: ['name', 'labels', 'annotations'] },
  ),
  spec: fc.record(
    {
      gate: fc.constantFrom('admission', 'authentication', 'authorization'),
      phase: fc.constantFrom('validate', 'mutate'),
      order: fc.integer(),
      mode: fc.constantFrom('enforce', 'warn', 'audit'),
      failurePolicy: fc.constantFrom('Fail', 'Ignore'),
      match,
      engine: fc.constantFrom('plugin', 'opa'),
      module,
      settings,
      limits: fc.record(
        {
          timeoutMs: fc.integer({ min: 1, max: 30_000 }),
          memoryBytes: fc.integer({ min: 65_536, max: 1024 ** 3 }),
          fuel: fc.integer({ min: 1, max: 1e12 }),
          concurrency: fc.integer({ min: 1, max: 1000 }),
        },
        { requiredKeys: ['timeoutMs', 'memoryBytes', 'fuel'] },
      ),
      capabilities: few(text),
      systemNames: fc.array(
        word.map((name) => `system:${name}`),
        { minLength: 1, maxLength: 3 },
      ),
      message: text,
      enabled: fc.boolean(),
    },
    {
      requiredKeys: [
        'gate',
        'phase',
        'order',
        'mode',
        'failurePolicy',
        'match',
        'module',
        'settings',
        'limits',
        'capabilities',
        'enabled',
      ],
    },
  ),
});

/** Any policy that a document can say, without an origin. */
export const anyPolicy: fc.Arbitrary<Omit<Policy, 'origin'>> = fc
  .tuple(policyOfAnyGate, access)
  .map(([policy, wish]) => fitGate(policy, wish));

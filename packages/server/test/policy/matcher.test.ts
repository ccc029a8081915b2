import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue, LabelSelector, Match, Policy, Review } from '@portcullis/contract';
import * as fc from 'fast-check';
import { isFault, type Fault } from '../../src/kernel/fault.ts';
import { jsonDocumentOf } from '../../src/kernel/json/json-document.ts';
import { matchesGlob } from '../../src/policy/match/glob.ts';
import { createMatcher, type Matcher } from '../../src/policy/matcher.ts';
import { makeReview } from '../support/make-review.ts';
import { policyOf } from './parsing.ts';
import { globMatches, referenceMatch } from './reference-matcher.ts';

const NAMESPACES: Readonly<Record<string, Record<string, string>>> = {
  default: { env: 'test' },
  prod: { env: 'prod', team: 'a' },
};
const namespaceLabels = (name: string): Record<string, string> | undefined =>
  Object.hasOwn(NAMESPACES, name) ? NAMESPACES[name] : undefined;

function matcherOf(match: string): Matcher {
  const matcher = createMatcher(policyOf(`{ module: { file: a }, match: ${match} }`), { namespaceLabels });
  assert.ok(!isFault(matcher));
  return matcher;
}

function request(resource: string, changes: Partial<Review> = {}): Review {
  const [path = '', group = ''] = resource.split('@');
  const [name = '', subresource = ''] = path.split('/');
  return makeReview(undefined, {
    resource: { group, version: 'v1', resource: name },
    subresource,
    ...changes,
  });
}

const rule = (resources: string, more = ''): string =>
  `{ resources: [{ apiGroups: ["*"], apiVersions: ["*"], resources: [${resources}]${more} }] }`;

test('a namespaced policy judges objects of its own namespace only, whatever its match says', () => {
  const policy = policyOf('{ module: { file: a }, match: { namespaces: ["*"] } }');
  const namespaced = { ...policy, metadata: { ...policy.metadata, name: 'prod/a', namespace: 'prod' } };
  const matcher = createMatcher(namespaced, { namespaceLabels });
  assert.ok(!isFault(matcher));
  assert.equal(matcher.matches(request('pods', { namespace: 'prod' })), true);
  assert.equal(matcher.matches(request('pods', { namespace: 'default' })), false);
  assert.equal(matcher.matches(request('nodes', { namespace: '' })), false);
  assert.equal(matcher.matches(request('namespaces', { namespace: 'prod', name: 'prod' })), false);
});

test('resource rules, as the API server has them', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['pods', 'pods', true],
    ['pods', 'pods/exec', false],
    ['pods/exec', 'pods/exec', true],
    ['pods/exec', 'pods', false],
    ['pods/*', 'pods/exec', true],
    // Its code matches the resource itself too.
    ['pods/*', 'pods', true],
    ['pods/*', 'services/proxy', false],
    ['"*"', 'pods', true],
    ['"*"', 'pods/exec', false],
    ['"*/scale"', 'deployments/scale@apps', true],
    ['"*/scale"', 'deployments@apps', false],
    ['"*/*"', 'pods', true],
    ['"*/*"', 'pods/exec', true],
    ['services, pods', 'pods', true],
  ];
  for (const [resources, asked, expected] of cases) {
    assert.equal(matcherOf(rule(resources)).matches(request(asked)), expected, `${resources} for ${asked}`);
  }
});

test('groups, versions and operations', () => {
  const matcher = matcherOf(
    '{ operations: [CREATE], resources: [{ apiGroups: [apps], apiVersions: [v1], resources: ["*"] }] }',
  );
  assert.equal(matcher.matches(request('deployments@apps')), true);
  assert.equal(matcher.matches(request('deployments@apps', { operation: 'DELETE' })), false);
  assert.equal(matcher.matches(request('pods')), false);
  const beta = { group: 'apps', version: 'v1beta1', resource: 'deployments' };
  assert.equal(matcher.matches(request('deployments@apps', { resource: beta })), false);
});

test('a Namespace object has cluster scope although it carries a namespace', () => {
  const cases: readonly (readonly [string, string, string, boolean])[] = [
    ['Namespaced', 'pods', 'default', true],
    ['Namespaced', 'nodes', '', false],
    ['Namespaced', 'namespaces', 'default', false],
    ['Namespaced', 'namespaces/status', 'default', false],
    ['Cluster', 'pods', 'default', false],
    ['Cluster', 'nodes', '', true],
    ['Cluster', 'namespaces', 'default', true],
    ['"*"', 'namespaces', 'default', true],
    // Only those of the core group.
    ['Namespaced', 'namespaces@other.example', 'default', true],
  ];
  for (const [scope, resource, namespace, expected] of cases) {
    const matcher = matcherOf(rule('"*/*"', `, scope: ${scope}`));
    assert.equal(matcher.matches(request(resource, { namespace })), expected, `${scope} ${resource}`);
  }
});

test('names belong to their rule', () => {
  const matcher = matcherOf(
    '{ resources: [{ apiGroups: [""], apiVersions: [v1], resources: [pods], resourceNames: [web] }, { apiGroups: [""], apiVersions: [v1], resources: [services] }] }',
  );
  assert.equal(matcher.matches(request('pods')), true);
  assert.equal(matcher.matches(request('pods', { name: 'other' })), false);
  assert.equal(matcher.matches(request('services', { name: 'other' })), true);
});

test('namespaces by glob', () => {
  const cases: readonly (readonly [string, string, string, boolean])[] = [
    ['namespaces: [kube-*]', 'pods', 'kube-system', true],
    ['namespaces: [kube-*]', 'pods', 'my-kube-system', false],
    ['namespaces: [kube-*]', 'namespaces', 'kube-system', true],
    ['namespaces: [kube-*]', 'nodes', '', false],
    ['namespaces: ["*"]', 'nodes', '', true],
    ['namespaces: [a, "?b"]', 'pods', 'ab', true],
    ['namespaces: [a, "?b"]', 'pods', 'aab', false],
    ['excludedNamespaces: [kube-*]', 'pods', 'kube-system', false],
    ['excludedNamespaces: [kube-*]', 'namespaces', 'kube-system', false],
    ['excludedNamespaces: [kube-*]', 'pods', 'default', true],
    ['excludedNamespaces: ["*"]', 'nodes', '', true],
    ['namespaces: [a*], excludedNamespaces: [ab]', 'pods', 'ab', false],
    ['namespaces: [a*], excludedNamespaces: [ab]', 'pods', 'ac', true],
  ];
  for (const [match, resource, namespace, expected] of cases) {
    assert.equal(
      matcherOf(`{ ${match} }`).matches(request(resource, { namespace })),
      expected,
      `${match} ${namespace}`,
    );
  }
  const created = request('namespaces', { namespace: '', name: 'kube-x' });
  assert.equal(matcherOf('{ namespaces: [kube-*] }').matches(created), true);
});

const labelled = (labels: JsonValue): JsonValue => ({ metadata: { name: 'web', labels } });

test('namespaceSelector reads incoming labels of Namespaces and never exempts other objects of the cluster', () => {
  const matcher = matcherOf('{ namespaceSelector: { matchLabels: { env: prod } } }');
  assert.equal(matcher.matches(request('pods', { namespace: 'prod' })), true);
  assert.equal(matcher.matches(request('pods', { namespace: 'default' })), false);
  assert.equal(matcher.matches(request('nodes', { namespace: '' })), true);
  const incoming = { object: jsonDocumentOf(labelled({ env: 'prod' })) };
  assert.equal(matcher.matches(request('namespaces', { namespace: 'default', ...incoming })), true);
  const deleted = request('namespaces', {
    namespace: 'prod',
    operation: 'DELETE',
    oldObject: jsonDocumentOf(labelled({})),
  });
  assert.equal(matcher.matches(deleted), false);
  const fault = matcher.matches(request('pods', { namespace: 'unheard-of' }));
  assert.ok(isFault(fault));
  assert.deepEqual(
    [fault.code, fault.message],
    ['PC_POLICY_NAMESPACE', 'the labels of namespace `unheard-of` are not known'],
  );
});

test('an unknown namespace is no fault when something else says no', () => {
  const selectors =
    'namespaceSelector: { matchLabels: { env: prod } }, objectSelector: { matchLabels: { a: b } }';
  assert.equal(matcherOf(`{ ${selectors} }`).matches(request('pods', { namespace: 'unheard-of' })), false);
});

test('objectSelector matches when the old or the new object does', () => {
  const matcher = matcherOf(
    '{ objectSelector: { matchExpressions: [{ key: app, operator: In, values: [web] }] } }',
  );
  const yes = jsonDocumentOf(labelled({ app: 'web' }));
  const no = jsonDocumentOf(labelled({ app: 'db' }));
  assert.equal(matcher.matches(request('pods', { object: no, oldObject: yes })), true);
  assert.equal(matcher.matches(request('pods', { object: yes, oldObject: no })), true);
  assert.equal(matcher.matches(request('pods', { object: no, oldObject: no })), false);
});

test('an object without labels, and what is no object', () => {
  const absent = matcherOf(
    '{ objectSelector: { matchExpressions: [{ key: app, operator: NotIn, values: [web] }] } }',
  );
  for (const object of [
    { metadata: {} },
    { metadata: { labels: null } },
    { metadata: { labels: { app: 5 } } },
  ]) {
    assert.equal(absent.matches(request('pods', { object: jsonDocumentOf(object) })), true);
  }
  for (const object of [null, 5, [], {}, { metadata: null }, { command: ['sh'] }]) {
    assert.equal(absent.matches(request('pods', { object: jsonDocumentOf(object) })), false);
  }
});

test('conditions: one that is false decides, then one that failed', () => {
  const conditions = (...expressions: string[]): boolean | Fault =>
    matcherOf(
      `{ conditions: [${expressions.map((expression, index) => `{ name: c${index}, expression: ${JSON.stringify(expression)} }`).join(', ')}] }`,
    ).matches(makeReview({ spec: { n: 1 } }));
  assert.equal(conditions('object.spec.n == 1', 'true'), true);
  assert.equal(conditions('object.spec.missing == 1', 'object.spec.n == 2'), false);
  const fault = conditions('true', 'object.spec.missing == 1');
  assert.ok(isFault(fault));
  assert.deepEqual(
    [fault.code, fault.message, fault.data],
    ['PC_POLICY_CONDITION', 'condition `c1`: no such key in `object.spec.missing`', { condition: 'c1' }],
  );
});

test('a condition that does not compile is a fault of the policy', () => {
  const policy = policyOf(
    '{ module: { file: a }, match: { conditions: [{ name: c, expression: "object.x ==" }] } }',
  );
  const fault = createMatcher(policy, { namespaceLabels });
  assert.ok(isFault(fault));
  assert.deepEqual(
    [fault.code, fault.message],
    ['PC_POLICY_CONDITION', 'condition `c`: unexpected token: EOF at column 12'],
  );
});

test('nothing is parsed unless a selector or condition asks for it', () => {
  const document = {
    bytes: new Uint8Array(),
    value(): never {
      throw new Error('parsed');
    },
  };
  const review = request('pods', { object: document, oldObject: document, request: document });
  assert.equal(
    matcherOf(`{ namespaces: [default], namespaceSelector: { matchLabels: { env: test } } }`).matches(review),
    true,
  );
  assert.equal(matcherOf('{ conditions: [{ name: c, expression: "1 == 1" }] }').matches(review), true);
  assert.throws(() => matcherOf('{ objectSelector: { matchLabels: { a: b } } }').matches(review), /parsed/);
});

test('globs agree with their definition, and take no longer for many stars', () => {
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
  fc.assert(
    fc.property(glob, text, (pattern, input) => {
      assert.equal(matchesGlob(pattern, input), globMatches(pattern, input));
    }),
    { seed: 5, numRuns: 2000 },
  );
  assert.equal(matchesGlob('*a'.repeat(100) + 'b', 'a'.repeat(10_000)), false);
});

const pick = fc.constantFrom;
const few = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(value, { maxLength: 2 });
/** Else hardly anything would match. */
const mostlyNone = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.oneof(fc.constant<T[]>([]), few(value));
const labels = fc.dictionary(pick('env', 'app'), pick('prod', 'web'), { maxKeys: 2 });
const selector: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: labels,
  matchExpressions: few(
    fc.record({
      key: pick('env', 'app', 'team'),
      operator: pick('In', 'NotIn', 'Exists', 'DoesNotExist'),
      values: few(pick('prod', 'web')),
    }),
  ),
});
const match: fc.Arbitrary<Match> = fc.record(
  {
    operations: mostlyNone(pick('CREATE', 'UPDATE', 'DELETE', 'CONNECT')),
    resources: mostlyNone(
      fc.record({
        apiGroups: pick(['*'], [''], ['apps', '']),
        apiVersions: pick(['*'], ['v1']),
        resources: fc.array(
          pick('*', '*/*', 'pods', 'pods/*', 'pods/exec', '*/exec', 'namespaces', 'nodes'),
          { minLength: 1, maxLength: 2 },
        ),
        scope: pick('*', 'Cluster', 'Namespaced'),
        resourceNames: few(pick('web', 'prod')),
      }),
    ),
    namespaces: mostlyNone(pick('*', 'prod', 'p*', '?', 'kube-*')),
    excludedNamespaces: mostlyNone(pick('prod', 'd?fault', '*', 'x')),
    namespaceSelector: selector,
    objectSelector: selector,
    conditions: fc.constant([]),
  },
  { requiredKeys: ['operations', 'resources', 'namespaces', 'excludedNamespaces', 'conditions'] },
);
const object = fc.option(
  fc.oneof(
    labels.map((value) => ({ metadata: { labels: value } })),
    pick<JsonValue>({ metadata: {} }, {}, null, { a: 1 }),
  ),
);
const review = fc
  .record({
    operation: pick<Review['operation'][]>('CREATE', 'UPDATE', 'DELETE', 'CONNECT'),
    group: pick('', 'apps'),
    version: pick('v1', 'v2'),
    resource: pick('pods', 'nodes', 'namespaces'),
    subresource: pick('', '', 'exec'),
    name: pick('', 'web', 'prod'),
    namespace: pick('', 'default', 'prod', 'unheard-of'),
    object,
    oldObject: object,
  })
  .map(({ group, version, resource, object: now, oldObject: before, ...rest }): Review => {
    const { object: _, ...base } = makeReview();
    return {
      ...base,
      ...rest,
      resource: { group, version, resource },
      ...(now === null ? {} : { object: jsonDocumentOf(now) }),
      ...(before === null ? {} : { oldObject: jsonDocumentOf(before) }),
    };
  });

test('the matcher agrees with the reference', () => {
  const seen = { true: 0, false: 0, unknown: 0 };
  fc.assert(
    fc.property(match, review, (matching, asked) => {
      const expected = referenceMatch(matching, asked, namespaceLabels);
      seen[`${expected}`] += 1;
      const base = policyOf('{ module: { file: a } }');
      const policy: Policy = { ...base, spec: { ...base.spec, match: matching } };
      const matcher = createMatcher(policy, { namespaceLabels });
      assert.ok(!isFault(matcher));
      const actual = matcher.matches(asked);
      assert.equal(isFault(actual) ? 'unknown' : actual, expected);
    }),
    { seed: 21, numRuns: 5000 },
  );
  for (const count of Object.values(seen)) assert.ok(count > 100, JSON.stringify(seen));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Match, Policy, ResourceRule, Review } from '@portcullis/contract';
import type { LoadedPolicy } from '../../src/chain/loaded-policy.ts';
import { PolicyIndex } from '../../src/chain/policy-index.ts';
import { isFault } from '../../src/kernel/fault.ts';
import { createMatcher } from '../../src/policy/matcher.ts';
import { makePolicy } from '../support/make-policy.ts';
import { makeReview } from '../support/make-review.ts';

const some = <T>(...values: T[]): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { maxLength: 3 });

const rule: fc.Arbitrary<ResourceRule> = fc.record({
  apiGroups: some('*', '', 'apps', 'batch'),
  apiVersions: fc.constantFrom(['*'], ['v1'], ['v2']),
  resources: some('*', '*/*', 'pods', 'pods/*', 'pods/exec', '*/scale', 'namespaces', 'nodes', 'deployments'),
  scope: fc.constantFrom('*', 'Cluster', 'Namespaced'),
  resourceNames: some('web', 'prod'),
});

const match: fc.Arbitrary<Match> = fc.record({
  operations: some('CREATE', 'UPDATE', 'DELETE', 'CONNECT'),
  resources: fc.array(rule, { maxLength: 3 }),
  namespaces: some('*', '**', 'p*', 'pro?', 'prod', 'default', ''),
  excludedNamespaces: some('prod', 'kube-*'),
  conditions: fc.constant([]),
});

const policy: fc.Arbitrary<Policy> = fc
  .record({
    match,
    enabled: fc.boolean(),
    phase: fc.constantFrom('validate', 'mutate'),
    gate: fc.constantFrom('admission', 'resource'),
    namespace: fc.option(fc.constantFrom('prod', 'default'), { nil: undefined }),
  })
  .map(({ namespace, ...spec }) => {
    const made = makePolicy('p', spec);
    return namespace === undefined ? made : { ...made, metadata: { ...made.metadata, namespace } };
  });

const review: fc.Arbitrary<Review> = fc
  .record({
    gate: fc.constantFrom('admission', 'resource'),
    operation: fc.constantFrom('CREATE', 'UPDATE', 'DELETE', 'CONNECT'),
    resource: fc.record({
      group: fc.constantFrom('', 'apps', 'other'),
      version: fc.constantFrom('v1', 'v2'),
      resource: fc.constantFrom('pods', 'namespaces', 'nodes', 'deployments', 'others'),
    }),
    subresource: fc.constantFrom('', 'exec', 'scale'),
    name: fc.constantFrom('', 'web', 'prod'),
    namespace: fc.constantFrom('', 'prod', 'default', 'kube-system', 'other'),
  })
  .map((changes) => makeReview(undefined, changes));

function load(made: Policy): LoadedPolicy {
  const matcher = createMatcher(made, { namespaceLabels: () => undefined });
  assert.ok(!isFault(matcher));
  const evaluator = { evaluate: () => Promise.reject(new Error('not asked')), close: () => undefined };
  const phrases = { refused: '', ignored: '', reason: '' };
  return { policy: made, matcher, exceptions: [], evaluator, phrases, fingerprint: '' };
}

test('the index finds what a look at every policy finds, in the same order', () => {
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(policy, { maxLength: 20 }),
      fc.array(review, { minLength: 1, maxLength: 10 }),
      (policies, reviews) => {
        const loaded = policies.map(load);
        const index = new PolicyIndex();
        for (const each of loaded) index.add(each);
        for (const phase of ['validate', 'mutate'] as const) {
          for (const asked of reviews) {
            const expected = loaded.filter(
              ({ policy: { spec }, matcher }) =>
                spec.enabled &&
                spec.phase === phase &&
                spec.gate === asked.gate &&
                matcher.matches(asked) === true,
            );
            const candidates = index.candidates(phase, asked);
            assert.deepEqual(
              candidates.filter(({ matcher }) => matcher.matchesObject(asked) === true),
              expected,
            );
            const inOrder = candidates.toSorted((a, b) => loaded.indexOf(a) - loaded.indexOf(b));
            assert.deepEqual(candidates, inOrder);
            assert.equal(new Set(candidates).size, candidates.length);
            found += expected.length;
          }
        }
      },
    ),
    { seed: 11, numRuns: 3000 },
  );
  assert.ok(found > 500, `only ${found} matches were compared`);
});

test('kinds are remembered, invented ones of any length are not', () => {
  const index = new PolicyIndex();
  const any = load(makePolicy('any'));
  index.add(any);
  for (const resource of ['pods', 'pods', 'services', 'x'.repeat(1_000_000)]) {
    const asked = makeReview(undefined, { resource: { group: '', version: 'v1', resource } });
    assert.deepEqual(index.candidates('validate', asked), [any]);
  }
  assert.equal(index.kinds, 2);
});

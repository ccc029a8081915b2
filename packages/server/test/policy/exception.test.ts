import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Review } from '@portcullis/contract';
import { isFault } from '../../src/kernel/fault.ts';
import { jsonDocumentOf } from '../../src/kernel/json/json-document.ts';
import {
  createExceptionMatcher,
  type ExceptionMatcher,
} from '../../src/policy/exceptions/exception-matcher.ts';
import { isException, parseDocuments, parsePolicies } from '../../src/policy/parse-policies.ts';
import { makeReview } from '../support/make-review.ts';
import { ORIGIN } from './parsing.ts';

const END = Date.parse('2027-01-31T00:00:00Z');

function documentOf(spec: string): string {
  return `apiVersion: portcullis.dev/v1\nkind: PolicyException\nmetadata: { name: legacy }\nspec: ${spec}\n`;
}

function matcherOf(spec: string): ExceptionMatcher {
  const [document] = parseDocuments(documentOf(spec), ORIGIN);
  assert.ok(document !== undefined && !isFault(document.result) && isException(document.result));
  const matcher = createExceptionMatcher(document.result, { namespaceLabels: () => undefined });
  assert.ok(!isFault(matcher));
  return matcher;
}

const FIELDS = 'expires: 2027-01-31T00:00:00Z, reason: migration';
const review = (changes: Partial<Review> = {}): Review =>
  makeReview(undefined, {
    namespace: 'legacy',
    name: 'web',
    user: { username: 'system:serviceaccount:ci:deployer', uid: '', groups: ['ci', 'all'], extra: {} },
    ...changes,
  });

test('names policies by glob, those of namespaces too', () => {
  const matcher = matcherOf(`{ policies: [registries, "team-a/*"], ${FIELDS} }`);
  assert.equal(matcher.name, 'legacy');
  assert.deepEqual(
    ['registries', 'registries2', 'team-a/labels', 'team-b/labels'].map((name) => matcher.names(name)),
    [true, false, true, false],
  );
  assert.ok(matcherOf(`{ policies: ["*"], ${FIELDS} }`).names('team-b/labels'));
});

test('covers what matches, whom it names, and until it ends', () => {
  const matcher = matcherOf(
    `{ policies: ["*"], match: { namespaces: [legacy] }, users: ["system:serviceaccount:ci:*"], groups: [ci], ${FIELDS} }`,
  );
  assert.equal(matcher.covers(review(), END - 1), true);
  assert.equal(matcher.covers(review(), END), false);
  assert.equal(matcher.covers(review({ namespace: 'other' }), 0), false);
  assert.equal(matcher.covers(review({ user: { ...review().user, username: 'eve' } }), 0), false);
  assert.equal(matcher.covers(review({ user: { ...review().user, groups: ['all'] } }), 0), false);
  assert.equal(matcherOf('{ policies: ["*"], expires: never, reason: x }').covers(review(), END * 10), true);
});

test('what cannot be decided is not covered', () => {
  const failing = matcherOf(
    `{ policies: ["*"], match: { conditions: [{ name: c, expression: object.spec.missing == 1 }] }, ${FIELDS} }`,
  );
  assert.equal(failing.covers(review(), 0), false);
  const unknown = matcherOf(
    `{ policies: ["*"], match: { namespaceSelector: { matchLabels: { a: b } } }, ${FIELDS} }`,
  );
  assert.equal(unknown.covers(review(), 0), false);
});

const REFUSALS: readonly (readonly [string, RegExp])[] = [
  [`{ ${FIELDS} }`, /spec\.policies: is required/],
  [`{ policies: [], ${FIELDS} }`, /spec\.policies: must not be empty/],
  [
    '{ policies: [a], reason: x }',
    /spec\.expires: must be a time such as `2027-01-31T00:00:00Z`, or `never`/,
  ],
  ['{ policies: [a], expires: tomorrow, reason: x }', /spec\.expires: must be a time/],
  ['{ policies: [a], expires: 2027-02-30T25:00:00Z, reason: x }', /spec\.expires: must be a time/],
  ['{ policies: [a], expires: never }', /spec\.reason: is required/],
  [`{ policies: [a], user: [eve], ${FIELDS} }`, /spec\.user: unknown key, did you mean `users`/],
];
for (const [spec, message] of REFUSALS) {
  test(`refuses ${spec}`, () => {
    const [document] = parseDocuments(documentOf(spec), ORIGIN);
    assert.ok(isFault(document?.result));
    assert.match(document.result.message, message);
  });
}

test('where only a policy makes sense, an exception is none', () => {
  const [document] = parsePolicies(documentOf(`{ policies: [a], ${FIELDS} }`), ORIGIN);
  assert.ok(isFault(document?.result));
  assert.match(document.result.message, /must be `Policy` or `PolicyGroup` here, not `PolicyException`/);
});

test('a selector of namespaces excepts nothing that is in none', () => {
  const [document] = parseDocuments(
    documentOf(`{ policies: ["*"], match: { namespaceSelector: { matchLabels: { env: dev } } }, ${FIELDS} }`),
    ORIGIN,
  );
  assert.ok(document !== undefined && !isFault(document.result) && isException(document.result));
  const matcher = createExceptionMatcher(document.result, { namespaceLabels: () => ({ env: 'dev' }) });
  assert.ok(!isFault(matcher));
  assert.equal(matcher.covers(review(), 0), true);
  const resource = { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'clusterrolebindings' };
  assert.equal(matcher.covers(review({ namespace: '', resource }), 0), false);
});

test('a label excepts an object that has it before and after, not one that gets or loses it', () => {
  const matcher = matcherOf(
    `{ policies: ["*"], match: { objectSelector: { matchLabels: { old: "yes" } } }, ${FIELDS} }`,
  );
  const labelled = jsonDocumentOf({ metadata: { labels: { old: 'yes' } } });
  const bare = jsonDocumentOf({ metadata: {} });
  const covers = (changes: Partial<Review>): boolean => matcher.covers(review(changes), 0);
  assert.equal(covers({ operation: 'UPDATE', object: labelled, oldObject: labelled }), true);
  assert.equal(covers({ operation: 'UPDATE', object: labelled, oldObject: bare }), false);
  assert.equal(covers({ operation: 'UPDATE', object: bare, oldObject: labelled }), false);
  assert.equal(covers({ operation: 'CREATE', object: labelled }), true);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, Match, Review } from '@portcullis/contract';
import * as fc from 'fast-check';
import { PolicyIndex } from '../../src/chain/policy-index.ts';
import { isFault } from '../../src/kernel/fault.ts';
import { createMatcher } from '../../src/policy/matcher.ts';
import { jsonDocumentOf } from '../../src/kernel/json/json-document.ts';
import { makePolicy } from '../support/make-policy.ts';
import { makeReview } from '../support/make-review.ts';
import { documentOf, faultOf, policyOf } from './parsing.ts';

const EMPTY: Match = {
  operations: [],
  resources: [],
  namespaces: [],
  excludedNamespaces: [],
  conditions: [],
};

interface Wish {
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly verb?: string;
  /** `group/resource/subresource`; a path when it begins with `/`. */
  readonly on?: string;
  readonly name?: string;
  readonly namespace?: string;
}

function reviewOf({
  user = 'ana',
  groups = [],
  verb = 'get',
  on = '/pods/',
  name = '',
  namespace = '',
}: Wish): Review {
  const isPath = on.startsWith('path:');
  const [group = '', resource = '', subresource = ''] = isPath ? [] : on.split('/');
  return makeReview(null, {
    gate: 'authorization',
    resource: { group, version: 'v1', resource },
    subresource,
    name: isPath ? '' : name,
    namespace: isPath ? '' : namespace,
    verb,
    user: { username: user, groups, extra: {} },
    request: jsonDocumentOf({ spec: { user, groups: [...groups] } }),
    ...(isPath ? { path: on.slice('path:'.length) } : {}),
  });
}

function matches(match: Partial<Match>, wish: Wish): boolean {
  const policy = makePolicy('p', { gate: 'authorization', match: { ...EMPTY, ...match } });
  const matcher = createMatcher(policy, { namespaceLabels: () => undefined });
  assert.ok(!isFault(matcher));
  const review = reviewOf(wish);
  const found = matcher.matches(review);
  assert.ok(!isFault(found));
  // The index must never leave out what matches.
  const index = new PolicyIndex();
  const evaluator = { evaluate: () => assert.fail(), close: () => undefined };
  const phrases = { refused: '', ignored: '', reason: '' };
  index.add({ policy, matcher, exceptions: [], evaluator, phrases, fingerprint: 'p' });
  if (found) assert.equal(index.candidates('validate', review).length, 1);
  return found;
}

const PODS = {
  apiGroups: [''],
  apiVersions: ['*'],
  resources: ['pods'],
  scope: '*' as const,
  resourceNames: [],
};

test('verbs, resources, paths, names, namespaces, users and groups', () => {
  const cases: [Partial<Match>, Wish, boolean][] = [
    [{}, {}, true],
    [{}, { on: 'path:/healthz' }, true],
    [{ verbs: ['get', 'list'] }, { verb: 'list' }, true],
    [{ verbs: ['get'] }, { verb: 'list' }, false],
    [{ verbs: ['*'] }, { verb: 'list' }, true],
    [{ verbs: ['get'] }, { verb: '*' }, false],
    [{ resources: [PODS] }, {}, true],
    [{ resources: [PODS] }, { on: '/pods/log' }, false],
    [{ resources: [PODS] }, { on: 'apps/pods/' }, false],
    [{ resources: [PODS] }, { on: 'path:/pods' }, false],
    [{ resources: [{ ...PODS, resources: ['*/*'], apiGroups: ['*'] }] }, { on: 'apps/x/status' }, true],
    [{ resources: [{ ...PODS, resources: ['*/*'], apiGroups: ['*'] }] }, { on: 'path:/healthz' }, false],
    [{ resources: [{ ...PODS, resourceNames: ['web'] }] }, { name: 'web' }, true],
    [{ resources: [{ ...PODS, resourceNames: ['web'] }] }, { name: '' }, false],
    [{ resources: [{ ...PODS, scope: 'Namespaced' }] }, { namespace: 'a' }, true],
    [{ resources: [{ ...PODS, scope: 'Namespaced' }] }, {}, false],
    [{ nonResourceURLs: ['/healthz'] }, { on: 'path:/healthz' }, true],
    [{ nonResourceURLs: ['/healthz'] }, { on: 'path:/healthz/etcd' }, false],
    [{ nonResourceURLs: ['/healthz*'] }, { on: 'path:/healthz/etcd' }, true],
    [{ nonResourceURLs: ['*'] }, { on: 'path:/x' }, true],
    [{ nonResourceURLs: ['*'] }, {}, false],
    [{ nonResourceURLs: ['*'] }, { on: '//' }, false],
    [{ resources: [PODS], nonResourceURLs: ['/x'] }, {}, true],
    [{ resources: [PODS], nonResourceURLs: ['/x'] }, { on: 'path:/x' }, true],
    [{ resources: [PODS], nonResourceURLs: ['/x'] }, { on: '/secrets/' }, false],
    [{ namespaces: ['led*'] }, { namespace: 'ledger' }, true],
    [{ namespaces: ['led*'] }, {}, false],
    [{ namespaces: ['led*'] }, { on: 'path:/x' }, false],
    [{ excludedNamespaces: ['ledger'] }, { namespace: 'ledger' }, false],
    [{ excludedNamespaces: ['ledger'] }, { on: 'path:/x' }, true],
    [{ users: ['system:serviceaccount:ci:*'] }, { user: 'system:serviceaccount:ci:bot' }, true],
    [{ users: ['system:serviceaccount:ci:*'] }, { user: 'system:serviceaccount:cii:bot' }, false],
    [{ groups: ['desk', 'ops'] }, { groups: ['ops'] }, true],
    [{ groups: ['desk'] }, { groups: ['ops'] }, false],
    [{ groups: ['desk'] }, {}, false],
    [{ conditions: [{ name: 'c', expression: "request.user == 'ana'" }] }, {}, true],
    [{ conditions: [{ name: 'c', expression: "'desk' in request.groups" }] }, { groups: ['ops'] }, false],
  ];
  for (const [match, wish, expected] of cases) {
    assert.equal(matches(match, wish), expected, JSON.stringify([match, wish]));
  }
});

test('conditions see what is empty, as those of the API server do, and only the attributes that there are', () => {
  const spec = { user: 'ana', resourceAttributes: { verb: 'list', resource: 'pods' } };
  const requirement = { key: 'tier', operator: 'Exists' };
  const selecting = {
    user: 'ana',
    resourceAttributes: { verb: 'list', labelSelector: { requirements: [requirement] } },
  };
  const path = { groups: ['ops'], nonResourceAttributes: { verb: 'get', path: '/healthz' } };
  const login = { token: 'desk-42' };
  const cases: [Review['gate'], JsonObject, expression: string][] = [
    [
      'authorization',
      spec,
      "request.resourceAttributes.namespace == '' && request.resourceAttributes.name == ''",
    ],
    [
      'authorization',
      spec,
      "request.resourceAttributes.group == '' && request.resourceAttributes.verb == 'list'",
    ],
    ['authorization', spec, "!('desk' in request.groups) && request.uid == '' && request.extra.size() == 0"],
    [
      'authorization',
      spec,
      '!has(request.nonResourceAttributes) && !has(request.resourceAttributes.labelSelector)',
    ],
    [
      'authorization',
      selecting,
      "request.resourceAttributes.labelSelector.requirements.all(r, r.key == 'tier' && r.values.size() == 0)",
    ],
    [
      'authorization',
      path,
      "!has(request.resourceAttributes) && request.nonResourceAttributes.path == '/healthz'",
    ],
    ['authorization', path, "request.user == '' && 'ops' in request.groups"],
    ['authentication', login, "request.token == 'desk-42' && !('vault' in request.audiences)"],
  ];
  for (const [gate, asked, expression] of cases) {
    const conditions = [{ name: 'c', expression }];
    const policy = makePolicy('p', { gate, match: { ...EMPTY, conditions } });
    const matcher = createMatcher(policy, { namespaceLabels: () => undefined });
    assert.ok(!isFault(matcher));
    const found = matcher.matchesObject(makeReview(null, { gate, request: jsonDocumentOf({ spec: asked }) }));
    assert.equal(isFault(found) ? found.message : found, true, expression);
  }
});

test('the index offers every policy that matches, and the matcher does what a naive model does', () => {
  const few = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
    fc.uniqueArray(value, { minLength: 1, maxLength: 2 });
  const rule = fc.record({
    apiGroups: fc.constantFrom(['*'], [''], ['apps']),
    apiVersions: fc.constant(['*']),
    resources: few(fc.constantFrom('*', '*/*', 'pods', 'pods/*', 'pods/log')),
    scope: fc.constant('*' as const),
    resourceNames: fc.constantFrom([], ['web']),
  });
  const match = fc.record(
    {
      verbs: few(fc.constantFrom('get', 'list', '*')),
      resources: few(rule),
      nonResourceURLs: few(fc.constantFrom('*', '/a', '/a*')),
      namespaces: few(fc.constantFrom('n', 'm')),
      users: few(fc.constantFrom('ana', 'a*')),
      groups: few(fc.constantFrom('desk', 'ops')),
    },
    { requiredKeys: [] },
  );
  const wish = fc.record({
    user: fc.constantFrom('ana', 'alf', 'eve'),
    groups: fc.constantFrom([], ['desk'], ['ops', 'x']),
    verb: fc.constantFrom('get', 'list', '*'),
    on: fc.constantFrom('/pods/', '/pods/log', 'apps/x/', '//', 'path:/a', 'path:/ab', 'path:'),
    name: fc.constantFrom('', 'web'),
    namespace: fc.constantFrom('', 'n', 'o'),
  });
  fc.assert(
    fc.property(match, wish, (rules, asked) => assert.equal(matches(rules, asked), model(rules, asked))),
    { seed: 9, numRuns: 5000 },
  );
});

/** Holds when there is no list, or something in it does. */
function some<T>(list: readonly T[] | undefined, holds: (item: T) => boolean): boolean {
  return list === undefined || list.some(holds);
}

function model(match: Partial<Match>, { user, groups, verb, on, name, namespace }: Required<Wish>): boolean {
  return (
    modelTarget(match, on, name) &&
    some(match.verbs, (one) => one === '*' || one === verb) &&
    some(match.namespaces, (one) => !on.startsWith('path:') && one === namespace) &&
    some(match.users, (glob) => (glob === 'a*' ? user.startsWith('a') : glob === user)) &&
    some(match.groups, (one) => groups.includes(one))
  );
}

function modelTarget({ resources, nonResourceURLs }: Partial<Match>, on: string, name: string): boolean {
  if (resources === undefined && nonResourceURLs === undefined) return true;
  if (on.startsWith('path:')) {
    const path = on.slice(5);
    return (nonResourceURLs ?? []).some((url) =>
      url.endsWith('*') ? path.startsWith(url.slice(0, -1)) : path === url,
    );
  }
  const [group = '', resource = '', subresource = ''] = on.split('/');
  return (resources ?? []).some(
    (rule) =>
      rule.apiGroups.some((one) => one === '*' || one === group) &&
      (rule.resourceNames.length === 0 || rule.resourceNames.includes(name)) &&
      rule.resources.some((pattern) => {
        const [left = '', right = ''] = pattern.split('/');
        return (left === '*' || left === resource) && (right === '*' || right === subresource);
      }),
  );
}

test('a key that has no meaning at a gate is refused, with what to use instead', () => {
  const cases: [string, RegExp][] = [
    [
      '{ gate: authentication, match: { operations: [CREATE] } }',
      /match\.operations: has no meaning at the gate `authentication`, use `conditions`/,
    ],
    [
      '{ gate: authentication, match: { users: [a] } }',
      /match\.users: has no meaning at the gate `authentication`/,
    ],
    ['{ gate: authentication, match: { namespaces: [a] } }', /match\.namespaces: has no meaning/],
    [
      '{ gate: authorization, match: { operations: [CREATE] } }',
      /match\.operations: has no meaning at the gate `authorization`, use `verbs`/,
    ],
    ['{ gate: authorization, match: { namespaceSelector: {} } }', /match\.namespaceSelector: has no meaning/],
    ['{ gate: authorization, match: { nonResourceURLs: [healthz] } }', /must begin with `\/`/],
    ['{ gate: authorization, match: { nonResourceURLs: ["/a*b"] } }', /may have one `\*` at its end/],
    ['{ gate: authorization, match: { verbs: [] } }', /match\.verbs/],
    [
      '{ gate: authorization, phase: mutate }',
      /phase: at the gate `authorization` nothing is changed, use `validate`/,
    ],
    [
      '{ gate: authorization, match: { resources: [{ apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE] }] } }',
      /match\.resources\[0\]\.operations: has no meaning at the gate `authorization`, use `verbs`/,
    ],
    [
      '{ match: { verbs: [get] } }',
      /match\.verbs: has no meaning at the gate `admission`, only at `authorization`/,
    ],
    [
      '{ gate: authorization, systemNames: ["system:node:*"] }',
      /systemNames: has no meaning at the gate `authorization`, only at `authentication`/,
    ],
    [
      '{ gate: authentication, systemNames: ["*"] }',
      /systemNames\[0\]: must begin with `system:`: all other names may be given, not `\*`/,
    ],
    ['{ gate: authentication, systemNames: [] }', /systemNames: must not be empty/],
    ['{ match: { groups: [a] } }', /match\.groups: has no meaning at the gate `admission`/],
  ];
  for (const [spec, expected] of cases) {
    assert.match(faultOf(documentOf(spec.replace('{ ', '{ module: { file: a }, '))).message, expected, spec);
  }
});

test('what can be matched is read', () => {
  const { match } = policyOf(
    '{ gate: authorization, module: { file: a }, match: { verbs: [get], nonResourceURLs: ["/logs/*"], users: ["a*"], groups: [desk] } }',
  ).spec;
  assert.deepEqual(match, {
    ...EMPTY,
    verbs: ['get'],
    nonResourceURLs: ['/logs/*'],
    users: ['a*'],
    groups: ['desk'],
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, Policy, Review } from '@portcullis/contract';
import * as fc from 'fast-check';
import { parse } from 'yaml';
import { describeRegistration } from '../../src/cluster/registration/describe-registration.ts';
import type { RegistrationOptions } from '../../src/cluster/registration/registration-options.ts';
import { describeStaticManifests } from '../../src/cluster/registration/static-manifests.ts';
import { isFault } from '../../src/kernel/fault.ts';
import { jsonDocumentOf } from '../../src/kernel/json/json-document.ts';
import { failureClassOf } from '../../src/policy/failure-class.ts';
import { createMatcher } from '../../src/policy/matcher.ts';
import { makePolicy } from '../support/make-policy.ts';
import { makeReview } from '../support/make-review.ts';
import { callsOf, type ClientRequest } from './api-server-model.ts';
import { admissionPolicy, clientRequest, NAMESPACES } from './generated-matches.ts';

const OPTIONS: RegistrationOptions = {
  endpoint: { url: 'https://portcullis.example' },
  ownNamespace: 'portcullis',
  ownUser: 'system:serviceaccount:portcullis:portcullis',
};

const labelsOfNamespace = (name: string): Record<string, string> => NAMESPACES[name] ?? {};

function reviewOf(request: ClientRequest, version: string): Review {
  const { object: _, ...base } = makeReview();
  const { operation, subresource, namespace } = request;
  return {
    ...base,
    operation,
    subresource,
    namespace,
    name: request.resource === 'namespaces' ? namespace : 'web',
    resource: { group: request.group, version, resource: request.resource },
    user: { username: request.user, groups: [], extra: {} },
    ...(request.object === undefined ? {} : { object: jsonDocumentOf(request.object) }),
    ...(request.oldObject === undefined ? {} : { oldObject: jsonDocumentOf(request.oldObject) }),
  };
}

function matches(policy: Policy, request: ClientRequest, version: string): boolean {
  const matcher = createMatcher(policy, { namespaceLabels: labelsOfNamespace });
  assert.ok(!isFault(matcher));
  return matcher.matches(reviewOf(request, version)) === true;
}

/** The version in which an API server would ask the policy if it were alone: that of the request, else another one. */
function wantedVersion(policy: Policy, request: ClientRequest): string | undefined {
  return [request.version, ...request.served].find((version) => matches(policy, request, version));
}

function configurationFor(policies: readonly Policy[], policy: Policy): JsonObject | undefined {
  const { validating, mutating } = describeRegistration(policies, OPTIONS);
  return policy.spec.phase === 'mutate' ? mutating : validating;
}

function pathFor(policy: Policy): string {
  return `/admission/${failureClassOf(policy).toLowerCase()}/${policy.spec.phase}`;
}

/** What is left out on purpose. */
function isExempt({ namespace, user }: ClientRequest): boolean {
  return ['kube-system', 'portcullis'].includes(namespace) || user === OPTIONS.ownUser;
}

/** Traffic that only rules which name it are asked about. */
function isBackground({ group, resource, subresource }: ClientRequest): boolean {
  return (
    resource === 'leases' ||
    resource === 'events' ||
    group === 'authentication.k8s.io' ||
    (resource === 'nodes' && subresource === 'status')
  );
}

function namesIt({ spec }: Policy, { resource, subresource }: ClientRequest): boolean {
  return spec.match.resources.some(
    ({ scope, resources }) =>
      scope === '*' &&
      resources.some((pattern) => {
        const [name, sub = ''] = pattern.split('/');
        return name === resource && (resource !== 'nodes' || sub === '*' || sub === subresource);
      }),
  );
}

test('whenever a policy matches a request, the webhook of its class is called, in a version that it matches', () => {
  const seen = { called: 0, exempt: 0, background: 0, named: 0, converted: 0, not: 0 };
  fc.assert(
    fc.property(
      fc.array(admissionPolicy, { minLength: 1, maxLength: 4 }),
      clientRequest,
      (policies, request) => {
        for (const policy of policies) {
          const wanted = wantedVersion(policy, request);
          if (wanted === undefined) {
            seen.not += 1;
            continue;
          }
          const calls = callsOf(configurationFor(policies, policy), request, labelsOfNamespace);
          const called = calls.some(
            ({ path, version }) => path === pathFor(policy) && matches(policy, request, version),
          );
          if (isExempt(request)) {
            // Objects of the cluster have no namespace that could be exempt.
            seen.exempt += 1;
            assert.equal(called, false);
          } else if (isBackground(request) && !namesIt(policy, request)) {
            seen.background += 1;
          } else {
            seen[isBackground(request) ? 'named' : wanted === request.version ? 'called' : 'converted'] += 1;
            assert.ok(called, `${policy.metadata.name} is not asked; calls: ${JSON.stringify(calls)}`);
          }
        }
      },
    ),
    { seed: 4, numRuns: 6000 },
  );
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 20, `${what}: ${count}`);
});

test('alone with one rule and exact names, a policy is asked about nothing that it does not match', () => {
  const isExact = ({ spec }: Policy): boolean =>
    [...spec.match.namespaces, ...spec.match.excludedNamespaces].every((glob) => !/[*?]/.test(glob));
  let called = 0;
  fc.assert(
    fc.property(
      admissionPolicy.filter((policy) => policy.spec.match.resources.length <= 1 && isExact(policy)),
      clientRequest,
      (policy, request) => {
        for (const { path, version } of callsOf(
          configurationFor([policy], policy),
          request,
          labelsOfNamespace,
        )) {
          called += 1;
          assert.equal(path, pathFor(policy));
          assert.ok(matches(policy, request, version), JSON.stringify(configurationFor([policy], policy)));
        }
      },
    ),
    { seed: 5, numRuns: 8000 },
  );
  assert.ok(called > 200, String(called));
});

test('the order of the policies does not matter', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(admissionPolicy, { selector: ({ metadata }) => metadata.name }),
      (policies) => {
        assert.deepEqual(
          describeRegistration(policies.toReversed(), OPTIONS),
          describeRegistration(policies, OPTIONS),
        );
      },
    ),
    { seed: 6, numRuns: 300 },
  );
});

test('one policy: the whole document', () => {
  const policy = makePolicy('pods', {
    match: {
      operations: ['CREATE', 'UPDATE'],
      resources: [
        { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], scope: '*', resourceNames: [] },
        {
          apiGroups: ['apps'],
          apiVersions: ['v1'],
          resources: ['deployments', 'daemonsets'],
          scope: 'Namespaced',
          resourceNames: [],
        },
      ],
      namespaces: [],
      excludedNamespaces: ['sandbox'],
      objectSelector: { matchLabels: { judged: 'yes' }, matchExpressions: [] },
      conditions: [],
    },
  });
  const registration = describeRegistration([policy], {
    endpoint: { service: { name: 'gate', namespace: 'portcullis' } },
    caBundle: 'PEM',
    ownNamespace: 'portcullis',
  });
  assert.deepEqual(registration, {
    validating: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'portcullis', labels: { 'app.kubernetes.io/managed-by': 'portcullis' } },
      webhooks: [
        {
          name: 'fail.validate.portcullis.dev',
          clientConfig: {
            service: { namespace: 'portcullis', name: 'gate', path: '/admission/fail/validate', port: 443 },
            caBundle: 'UEVN',
          },
          rules: [
            {
              operations: ['CREATE', 'UPDATE'],
              apiGroups: [''],
              apiVersions: ['v1'],
              resources: ['pods'],
              scope: '*',
            },
            {
              operations: ['CREATE', 'UPDATE'],
              apiGroups: ['apps'],
              apiVersions: ['v1'],
              resources: ['daemonsets', 'deployments'],
              scope: 'Namespaced',
            },
          ],
          namespaceSelector: {
            matchExpressions: [
              {
                key: 'kubernetes.io/metadata.name',
                operator: 'NotIn',
                values: ['kube-system', 'portcullis', 'sandbox'],
              },
            ],
          },
          objectSelector: { matchLabels: { judged: 'yes' } },
          failurePolicy: 'Fail',
          matchPolicy: 'Equivalent',
          sideEffects: 'None',
          timeoutSeconds: 2,
          admissionReviewVersions: ['v1'],
        },
      ],
    },
    notes: [],
  });
});

test('conditions of a policy that is alone and may deny are evaluated by the API server', () => {
  const conditions = [{ name: 'mine', expression: "request.operation != 'DELETE'" }];
  const policy = makePolicy('a', { match: { ...makePolicy('a').spec.match, conditions } });
  const pushed = (policies: readonly Policy[]): unknown => {
    const { validating = {} } = describeRegistration(policies, { endpoint: { url: 'https://a' } });
    const [webhook] = validating['webhooks'] as unknown as { matchConditions: { name: string }[] }[];
    return webhook?.matchConditions.filter(({ name }) => name.startsWith('condition'));
  };
  assert.deepEqual(pushed([policy]), [
    { name: 'condition-1', expression: '(request.operation != "DELETE")' },
  ]);
  assert.deepEqual(pushed([policy, makePolicy('b')]), []);
  // A condition that fails would pass unseen.
  assert.deepEqual(pushed([{ ...policy, spec: { ...policy.spec, mode: 'audit' } }]), []);
});

test('what an operator must know', () => {
  const match = makePolicy('a').spec.match;
  const rule = { apiVersions: ['v1'], scope: '*' as const, resourceNames: [] };
  const { notes } = describeRegistration(
    [
      makePolicy('exempt', { match: { ...match, namespaces: ['kube-system'] } }),
      makePolicy('nowhere', { match: { ...match, namespaces: ['a'], excludedNamespaces: ['a'] } }),
      makePolicy('hooks', {
        match: {
          ...match,
          resources: [{ ...rule, apiGroups: ['admissionregistration.k8s.io'], resources: ['*'] }],
        },
      }),
      makePolicy('slow', {
        phase: 'mutate',
        match: { ...match, resources: [{ ...rule, apiGroups: [''], resources: ['pods'] }] },
        limits: { timeoutMs: 12_000, memoryBytes: 65_536, fuel: 1 },
      }),
      makePolicy('wide'),
    ],
    OPTIONS,
  );
  assert.deepEqual(
    notes.map(({ policy, text }) => `${policy} ${text}`),
    [
      'exempt is never asked: it judges only `kube-system`, and the registration exempts that',
      'hooks is never asked: API servers send no requests for webhook and admission policy objects to webhooks that are registered through the API; static manifests can guard them',
      'nowhere is never asked: `namespaces` and `excludedNamespaces` leave none',
      'slow may take 13 s, and API servers wait 10 s: lower `limits.timeout` or raise `kubernetes.registration.timeout`',
      'wide is not asked about leases, events, nodes/status, reviews of tokens and access, which its rules take by a wildcard only: name these resources in a rule to judge them',
    ],
  );
});

test('static manifests: YAML with a reserved name, for webhook objects too', () => {
  const match = makePolicy('a').spec.match;
  const rule = { apiGroups: ['admissionregistration.k8s.io'], apiVersions: ['v1'], resources: ['*'] };
  const guard = makePolicy('guard', {
    match: { ...match, resources: [{ ...rule, scope: 'Cluster', resourceNames: [] }] },
  });
  const { validating, mutating, notes } = describeStaticManifests([guard], { url: 'https://10.0.0.1:8443/' });
  assert.equal(mutating, undefined);
  assert.deepEqual(notes, []);
  const document = parse(validating ?? '') as { metadata: unknown; webhooks: { clientConfig: unknown }[] };
  assert.deepEqual(document.metadata, {
    name: 'portcullis.static.k8s.io',
    labels: { 'app.kubernetes.io/managed-by': 'portcullis' },
  });
  assert.deepEqual(document.webhooks[0]?.clientConfig, {
    url: 'https://10.0.0.1:8443/admission/fail/validate',
  });
});

test('no webhook without policies, none for policies that are off or of another gate', () => {
  assert.deepEqual(describeRegistration([], OPTIONS), { notes: [] });
  const others = [makePolicy('off', { enabled: false }), makePolicy('other', { gate: 'authorization' })];
  assert.deepEqual(describeRegistration(others, OPTIONS), { notes: [] });
});

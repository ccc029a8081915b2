import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Policy } from '@portcullis/contract';
import * as fc from 'fast-check';
import type { ClusterFacts } from '../../src/cluster/doctor/cluster-facts.ts';
import { diagnose } from '../../src/cluster/doctor/diagnose.ts';
import type { Finding } from '../../src/cluster/doctor/finding.ts';
import { expectedWebhooks } from '../../src/cluster/doctor/own-webhooks.ts';
import { describeRegistration } from '../../src/cluster/registration/describe-registration.ts';
import type { RegistrationOptions } from '../../src/cluster/registration/registration-options.ts';
import { Fault } from '../../src/kernel/fault.ts';
import { makePolicy } from '../support/make-policy.ts';
import { admissionPolicy } from './generated-matches.ts';

const OPTIONS: RegistrationOptions = {
  endpoint: { service: { name: 'gate', namespace: 'portcullis' } },
  ownNamespace: 'portcullis',
  ownUser: 'system:serviceaccount:portcullis:portcullis',
};

function healthy(policies: readonly Policy[]): ClusterFacts {
  const expected = describeRegistration(policies, OPTIONS);
  return {
    now: 0,
    options: OPTIONS,
    policies,
    expected,
    webhooks: expectedWebhooks({ expected }),
    isSwitchedOff: false,
    probes: [],
    definitions: [],
    permissions: [],
  };
}

/** Apart from what the registration itself notes. */
function problems(facts: ClusterFacts): Finding[] {
  return diagnose(facts).filter(({ severity, check }) => severity !== 'ok' && check !== 'policies');
}

const policySet = fc.uniqueArray(admissionPolicy, {
  selector: ({ metadata }) => metadata.name,
  minLength: 1,
  maxLength: 4,
});

test('what the registration makes is healthy, whatever the policies', () => {
  fc.assert(
    fc.property(policySet, (policies) => {
      assert.deepEqual(problems(healthy(policies)), []);
    }),
    { seed: 11, numRuns: 2000 },
  );
});

test('no rule, operation or webhook can go without being missed', () => {
  let broken = 0;
  fc.assert(
    fc.property(
      policySet,
      fc.nat(),
      fc.constantFrom('rule', 'operation', 'webhook'),
      (policies, pick, what) => {
        const facts = healthy(policies);
        const webhooks = facts.webhooks as ReturnType<typeof expectedWebhooks>;
        const at = pick % Math.max(1, webhooks.length);
        const chosen = webhooks[at];
        if (chosen === undefined) return;
        broken += 1;
        const ruleAt = pick % chosen.rules.length;
        const rules = chosen.rules.flatMap((rule, index) => {
          if (index !== ruleAt) return [rule];
          if (what === 'rule') return [];
          const operations =
            rule.operations[0] === '*' ? ['CREATE', 'UPDATE', 'DELETE'] : rule.operations.slice(1);
          return [{ ...rule, operations }];
        });
        const changed = webhooks.flatMap((webhook, index) => {
          if (index !== at) return [webhook];
          return what === 'webhook' ? [] : [{ ...webhook, rules }];
        });
        // Another webhook behind the same path, or a rule for certain versions, to which others are converted, can stand in.
        const stands =
          chosen.rules[ruleAt]?.apiVersions[0] === '*' ||
          webhooks.some(
            ({ path, phase }, index) => index !== at && path === chosen.path && phase === chosen.phase,
          );
        if (stands) return;
        broken += 1;
        const found = problems({ ...facts, webhooks: changed });
        assert.ok(
          found.some(({ severity }) => severity === 'error'),
          JSON.stringify(found),
        );
      },
    ),
    { seed: 12, numRuns: 3000 },
  );
  assert.ok(broken > 500, String(broken));
});

test('what cannot be seen is said, and does not hide the rest', () => {
  const forbidden = new Fault('PC_KUBE_FORBIDDEN', 'may not list');
  const facts: ClusterFacts = {
    ...healthy([makePolicy('a')]),
    webhooks: forbidden,
    isSwitchedOff: forbidden,
    definitions: [{ wanted: { metadata: { name: 'a.example' } }, live: forbidden }],
    permissions: [
      { permission: { verb: 'get', group: '', resource: 'pods', purpose: 'for fun' }, allowed: forbidden },
    ],
    readiness: { url: 'http://a/readyz', status: 503 },
    probes: [{ endpoint: 'service a/b:443', webhooks: [], outcome: forbidden }],
  };
  assert.deepEqual(
    problems(facts).map(({ severity, check, message }) => `${severity} ${check}: ${message}`),
    [
      'warning kill-switch: whether the switch is on cannot be seen: may not list',
      'error registration: the webhook configurations cannot be read: may not list (PC_KUBE_FORBIDDEN)',
      'error endpoint: service a/b:443 cannot be reached: may not list',
      'error readiness: http://a/readyz answers 503',
      'warning definitions: the custom resource definition `a.example` cannot be read: may not list',
      'warning permissions: whether get pods is allowed cannot be asked: may not list',
    ],
  );
});

test('a definition that is not established, and one without our version', () => {
  const wanted = { metadata: { name: 'a.example' }, spec: { versions: [{ name: 'v1', schema: { a: 1 } }] } };
  const live = (status: string, versions: readonly object[]): ClusterFacts['definitions'] => [
    {
      wanted,
      live: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'a.example' },
        spec: { versions },
        status: { conditions: [{ type: 'Established', status, message: 'names are taken' }] },
      },
    },
  ];
  const found = (definitions: ClusterFacts['definitions']): string[] =>
    problems({ ...healthy([]), definitions }).map(({ message }) => message);
  assert.deepEqual(found(live('False', [])), [
    'the custom resource definition `a.example` is not established: names are taken',
  ]);
  assert.deepEqual(found(live('True', [{ name: 'v2', served: true }])), [
    '`a.example` is not served in version `v1`',
  ]);
  assert.deepEqual(found(live('True', [{ name: 'v1', served: true, schema: { a: 1 } }])), []);
});

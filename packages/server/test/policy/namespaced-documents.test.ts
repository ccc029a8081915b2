import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Policy } from '@portcullis/contract';
import { isFault, type Fault } from '../../src/kernel/fault.ts';
import { stringifyExact } from '../../src/kernel/json/json-document.ts';
import { CUSTOM_RESOURCES } from '../../src/policy/custom-resources/custom-resources.ts';
import { parseCustomResource } from '../../src/policy/custom-resources/parse-custom-resource.ts';
import { describePolicy } from '../../src/policy/describe-policy.ts';
import { isException, parseDocuments, parsePolicies } from '../../src/policy/parse-policies.ts';
import { ORIGIN } from './parsing.ts';

const METADATA = { name: 'own', namespace: 'team-a' };
const MODULE = { configMap: { name: 'code', key: 'plugin.wasm' } };
const SPECS = {
  NamespacedPolicy: { match: { operations: ['CREATE'] }, module: MODULE },
  NamespacedPolicyGroup: {
    expression: 'a() && b()',
    message: 'no',
    members: {
      a: { module: MODULE },
      b: { module: { secret: { name: 's', key: 'k', namespace: 'team-a' } } },
    },
  },
};
type Kind = keyof typeof SPECS;

function textOf(kind: string, spec: object, metadata: object = METADATA): string {
  return JSON.stringify({ apiVersion: 'portcullis.dev/v1', kind, metadata, spec });
}

function policyOf(text: string): Policy {
  const [document] = parseDocuments(text, ORIGIN);
  assert.ok(document !== undefined && !isFault(document.result) && !isException(document.result));
  return document.result;
}

function faultOf(text: string): Fault {
  const [document] = parseDocuments(text, ORIGIN);
  assert.ok(isFault(document?.result));
  return document.result;
}

describe('what works with the rights of the server', () => {
  for (const capability of ['*', 'kubernetes/*', 'kubernetes/get_resource', 'oci/v1/verify', 'net/*']) {
    test(`a namespaced policy is not granted \`${capability}\``, () => {
      const member = { module: MODULE, capabilities: ['crypto/*', capability] };
      const { message } = faultOf(textOf('NamespacedPolicy', { ...SPECS.NamespacedPolicy, ...member }));
      assert.ok(
        message.includes(
          `a namespaced policy cannot be granted \`${capability}\`, which works with the rights of the server`,
        ),
        message,
      );
      const group = { expression: 'a()', message: 'no', members: { a: member } };
      assert.match(faultOf(textOf('NamespacedPolicyGroup', group)).message, /members\.a\.capabilities/);
    });
  }

  test('but what is only computed', () => {
    const granted = { ...SPECS.NamespacedPolicy, capabilities: ['crypto/v1/is_certificate_trusted'] };
    assert.deepEqual(policyOf(textOf('NamespacedPolicy', granted)).spec.capabilities, granted.capabilities);
  });
});

describe('namespaced kinds in files', () => {
  for (const kind of ['NamespacedPolicy', 'NamespacedPolicyGroup'] as const satisfies readonly Kind[]) {
    test(`a ${kind} is what the custom resource of the same text is`, () => {
      const resource = CUSTOM_RESOURCES.find((candidate) => candidate.kind === kind);
      assert.ok(resource !== undefined);
      const fromCluster = parseCustomResource(resource, { metadata: METADATA, spec: SPECS[kind] });
      assert.ok(!isFault(fromCluster) && !isException(fromCluster));
      const fromFile = policyOf(textOf(kind, SPECS[kind]));
      assert.equal(fromFile.metadata.name, 'team-a/own');
      assert.deepEqual(describePolicy(fromFile), describePolicy(fromCluster));
    });

    test(`a ${kind} that is described is the same when it is read again`, () => {
      const policy = policyOf(textOf(kind, SPECS[kind]));
      const again = policyOf(stringifyExact(describePolicy(policy)));
      assert.deepEqual(
        { ...again, origin: undefined, group: undefined },
        { ...policy, origin: undefined, group: undefined },
      );
      assert.deepEqual(describePolicy(again), describePolicy(policy));
    });

    test(`a ${kind} does not come through the API`, () => {
      const [document] = parsePolicies(textOf(kind, SPECS[kind]), ORIGIN);
      assert.ok(isFault(document?.result));
      assert.match(document.result.message, new RegExp(`kind: must be .*here, not \`${kind}\``));
    });
  }

  test('a broken one is known by its namespace and name', () => {
    const [document] = parseDocuments(textOf('NamespacedPolicy', { modul: {} }), ORIGIN);
    assert.equal(document?.name, 'team-a/own');
  });

  for (const [what, text, message] of [
    [
      'no namespace',
      textOf('NamespacedPolicy', SPECS.NamespacedPolicy, { name: 'own' }),
      /metadata\.namespace: is required/,
    ],
    [
      'a namespace with a dot',
      textOf('NamespacedPolicy', SPECS.NamespacedPolicy, { name: 'a', namespace: 'a.b' }),
      /metadata\.namespace: must be a namespace/,
    ],
    ['a namespace on a Policy', textOf('Policy', SPECS.NamespacedPolicy), /metadata\.namespace: unknown key/],
    [
      'code of another namespace, with its place',
      textOf('NamespacedPolicy', { module: { secret: { name: 's', key: 'k', namespace: 'kube-system' } } }),
      /:1:\d+: spec\.module\.secret\.namespace: .*from its own namespace, not from `kube-system`/,
    ],
    [
      'an unknown kind',
      textOf('NamespacedPolicies', SPECS.NamespacedPolicy),
      /kind: must be one of .*did you mean `NamespacedPolicy`\?$/,
    ],
  ] as const) {
    test(`${what} is refused`, () => assert.match(faultOf(text).message, message));
  }
});

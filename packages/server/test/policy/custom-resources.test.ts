import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject, JsonValue } from '@portcullis/contract';
import { isFault } from '../../src/kernel/fault.ts';
import { CUSTOM_RESOURCES, type CustomResource } from '../../src/policy/custom-resources/custom-resources.ts';
import { describeDefinitions } from '../../src/policy/custom-resources/describe-definitions.ts';
import { parseCustomResource } from '../../src/policy/custom-resources/parse-custom-resource.ts';
import { isException } from '../../src/policy/parse-policies.ts';

function resourceOf(kind: string): CustomResource {
  const resource = CUSTOM_RESOURCES.find((candidate) => candidate.kind === kind);
  assert.ok(resource !== undefined);
  return resource;
}

interface DefinitionSpec {
  readonly names: { readonly kind: string };
  readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: JsonObject } }];
}

const SPEC = { module: { configMap: { name: 'm', key: 'plugin.wasm' } } };

describe('definitions', () => {
  /** Every schema node below a definition. */
  function* nodesOf(schema: JsonObject): Generator<JsonObject> {
    yield schema;
    const { properties, items, additionalProperties } = schema;
    const below: readonly (JsonValue | undefined)[] = [
      ...(properties === undefined ? [] : Object.values(properties as JsonObject)),
      items,
      additionalProperties,
    ];
    for (const node of below)
      if (typeof node === 'object' && node !== null) yield* nodesOf(node as JsonObject);
  }

  for (const definition of describeDefinitions()) {
    const { versions, names } = definition['spec'] as unknown as DefinitionSpec;
    const [{ schema }] = versions;

    test(`the schema of ${names.kind} is structural`, () => {
      for (const node of nodesOf(schema.openAPIV3Schema)) {
        const isFree = 'x-kubernetes-preserve-unknown-fields' in node || 'x-kubernetes-int-or-string' in node;
        assert.ok(isFree || typeof node['type'] === 'string', JSON.stringify(node));
        for (const refused of ['$ref', 'const', 'anyOf', 'propertyNames'])
          assert.ok(!(refused in node), refused);
        assert.ok(!('properties' in node && 'additionalProperties' in node));
      }
    });
  }
});

describe('custom resources', () => {
  test('a policy takes name, labels, version and description; what kubectl keeps for itself is left out', () => {
    const policy = parseCustomResource(resourceOf('Policy'), {
      metadata: {
        name: 'registries',
        labels: { team: 'a' },
        annotations: {
          'portcullis.dev/version': '1.2',
          'portcullis.dev/description': 'only ours',
          'kubectl.kubernetes.io/last-applied-configuration': '{}',
          note: 'x',
        },
      },
      spec: SPEC,
    });
    assert.ok(!isFault(policy) && !isException(policy));
    assert.deepEqual(policy.metadata, {
      name: 'registries',
      version: '1.2',
      description: 'only ours',
      labels: { team: 'a' },
      annotations: { note: 'x' },
    });
    assert.deepEqual(policy.origin, { source: 'crd', location: 'Policy/registries' });
  });

  test('a namespaced one has its namespace in its name and in its references, members too', () => {
    const policy = parseCustomResource(resourceOf('NamespacedPolicyGroup'), {
      metadata: { name: 'both', namespace: 'team-a' },
      spec: { expression: 'a()', message: 'no', members: { a: SPEC } },
    });
    assert.ok(!isFault(policy) && !isException(policy));
    assert.equal(policy.metadata.name, 'team-a/both');
    assert.equal(policy.metadata.namespace, 'team-a');
    const member = policy.group?.members['a'];
    assert.equal(member?.metadata.name, 'team-a/both/a');
    assert.equal(member.spec.module.configMap?.namespace, 'team-a');
  });

  const namespaced = { name: 'p', namespace: 'team-a' };
  const refusals: readonly (readonly [string, string, object, object, RegExp])[] = [
    [
      'a file',
      'NamespacedPolicy',
      namespaced,
      { module: { file: '/a' } },
      /an object cannot name a file of the server/,
    ],
    [
      'a Secret elsewhere',
      'NamespacedPolicy',
      namespaced,
      { module: { secret: { name: 's', key: 'k', namespace: 'kube-system' } } },
      /from its own namespace, not from `kube-system`/,
    ],
    [
      'a Secret elsewhere in a member',
      'NamespacedPolicyGroup',
      namespaced,
      {
        expression: 'a()',
        message: 'no',
        members: { a: { module: { configMap: { name: 's', key: 'k', namespace: 'other' } } } },
      },
      /from its own namespace, not from `other`/,
    ],
    ['a path', 'Policy', { name: 'p' }, { module: { file: '/a.wasm' } }, /an object cannot name a file/],
    [
      'an unknown key',
      'Policy',
      { name: 'p' },
      { ...SPEC, modee: 'warn' },
      /^Policy\/p: spec\.modee: unknown key/,
    ],
    ['no spec', 'Policy', { name: 'p' }, {}, /spec\.module: is required/],
  ];
  for (const [what, kind, metadata, spec, message] of refusals) {
    test(`${what} is refused`, () => {
      const result = parseCustomResource(resourceOf(kind), { metadata: metadata as { name: string }, spec });
      assert.ok(isFault(result));
      assert.match(result.message, message);
    });
  }
});

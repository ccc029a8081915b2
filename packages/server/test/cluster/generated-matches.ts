import type { JsonValue, LabelSelector, Match, Policy, PolicySpec } from '@portcullis/contract';
import * as fc from 'fast-check';
import { makePolicy } from '../support/make-policy.ts';
import type { ClientRequest } from './api-server-model.ts';

const pick = fc.constantFrom;
const few = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(value, { maxLength: 2 });
/** Else hardly anything would match. */
const mostlyNone = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant<T[]>([]) }, { weight: 1, arbitrary: few(value) });

const labels = fc.dictionary(pick('env', 'app'), pick('prod', 'web'), { maxKeys: 2 });
const someSelector: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: fc.dictionary(pick('env', 'app'), pick('prod', 'web'), { maxKeys: 1 }),
  matchExpressions: few(
    fc.oneof(
      fc.record({
        key: pick('env', 'team'),
        operator: pick('In' as const, 'NotIn' as const),
        values: fc.uniqueArray(pick('prod', 'web'), { minLength: 1 }),
      }),
      fc.record({
        key: pick('env', 'team'),
        operator: pick('Exists' as const, 'DoesNotExist' as const),
        values: fc.constant([]),
      }),
    ),
  ),
});
const selector = fc.oneof(
  { weight: 3, arbitrary: fc.constant<LabelSelector>({ matchLabels: {}, matchExpressions: [] }) },
  { weight: 1, arbitrary: someSelector },
);

const WIDE = ['*', '*/*', '*/exec', '*/status'];
/** Groups and what a rule may name in them. */
const NAMES: readonly (readonly [readonly string[], readonly string[]])[] = [
  [['*'], [...WIDE, 'pods', 'namespaces', 'leases']],
  [[''], [...WIDE, 'pods', 'pods/*', 'pods/exec', 'namespaces', 'nodes', 'nodes/*', 'events']],
  [
    ['', 'scaling.example'],
    [...WIDE, 'pods', 'scalers', 'scalers/*'],
  ],
  [['coordination.k8s.io'], ['leases', 'leases/*']],
  [['scaling.example'], ['*', 'scalers', 'scalers/status', 'scalers/*']],
];
const rule = pick(...NAMES).chain(([apiGroups, names]) =>
  fc.record({
    apiGroups: fc.constant(apiGroups),
    apiVersions: pick(['*'], ['*'], ['v1'], ['v2'], ['v1', 'v2']),
    resources: fc.uniqueArray(pick(...names), { minLength: 1, maxLength: 3 }),
    scope: pick('*' as const, '*' as const, 'Cluster' as const, 'Namespaced' as const),
    resourceNames: fc.constant<string[]>([]),
  }),
);

const match: fc.Arbitrary<Match> = fc.record(
  {
    operations: mostlyNone(pick('CREATE', 'UPDATE', 'DELETE', 'CONNECT')),
    resources: fc.array(rule, { maxLength: 3 }),
    namespaces: mostlyNone(pick('*', 'prod', 'p*', 'default', 'kube-system', 'not_a_name')),
    excludedNamespaces: mostlyNone(pick('prod', 'd?fault', 'kube-*', 'default')),
    namespaceSelector: selector,
    objectSelector: selector,
    conditions: fc.constant([]),
  },
  { requiredKeys: ['operations', 'resources', 'namespaces', 'excludedNamespaces', 'conditions'] },
);

/** An admission policy, sometimes of a namespace. */
export const admissionPolicy: fc.Arbitrary<Policy> = fc
  .record({
    name: fc.stringMatching(/^[a-z]{3,8}$/),
    home: fc.option(pick('prod', 'default', 'kube-system'), { freq: 5 }),
    spec: fc.record({
      match,
      phase: pick<PolicySpec['phase'][]>('validate', 'mutate'),
      mode: pick<PolicySpec['mode'][]>('enforce', 'enforce', 'warn', 'audit'),
      failurePolicy: pick<PolicySpec['failurePolicy'][]>('Fail', 'Ignore'),
    }),
  })
  .map(({ name, home, spec }) => {
    const policy = makePolicy(name, spec);
    if (home === null) return policy;
    return { ...policy, metadata: { ...policy.metadata, name: `${home}/${name}`, namespace: home } };
  });

export const NAMESPACES: Readonly<Record<string, Record<string, string>>> = {
  default: { 'kubernetes.io/metadata.name': 'default', env: 'test' },
  prod: { 'kubernetes.io/metadata.name': 'prod', env: 'prod', team: 'a' },
  'kube-system': { 'kubernetes.io/metadata.name': 'kube-system' },
  portcullis: { 'kubernetes.io/metadata.name': 'portcullis' },
};

const KINDS: readonly Pick<ClientRequest, 'group' | 'resource' | 'served'>[] = [
  { group: '', resource: 'pods', served: ['v1'] },
  { group: '', resource: 'nodes', served: ['v1'] },
  { group: '', resource: 'namespaces', served: ['v1'] },
  { group: '', resource: 'events', served: ['v1'] },
  { group: 'coordination.k8s.io', resource: 'leases', served: ['v1'] },
  { group: 'authentication.k8s.io', resource: 'tokenreviews', served: ['v1'] },
  { group: 'scaling.example', resource: 'scalers', served: ['v1', 'v2'] },
  { group: 'scaling.example', resource: 'scalers', served: ['v1', 'v2'] },
];
const CLUSTER = new Set(['nodes', 'tokenreviews']);

/** A request that an API server can receive. */
export const clientRequest: fc.Arbitrary<ClientRequest> = fc
  .record({
    kind: pick(...KINDS),
    version: fc.nat(),
    operation: pick<ClientRequest['operation'][]>('CREATE', 'UPDATE', 'DELETE', 'CONNECT'),
    subresource: pick('', '', 'exec', 'status'),
    namespace: pick('default', 'prod', 'prod', 'kube-system', 'portcullis'),
    user: pick('ana', 'ana', 'system:serviceaccount:portcullis:portcullis'),
    now: labels,
    before: labels,
  })
  .map(({ kind, version, operation, now, before, ...rest }): ClientRequest => {
    const namespace = CLUSTER.has(kind.resource) ? '' : rest.namespace;
    const object = (own: Record<string, string>): JsonValue => ({
      metadata: {
        // An API server sees to it that this label is the name.
        labels: kind.resource === 'namespaces' ? { ...own, ...nameLabel(namespace) } : own,
      },
    });
    return {
      ...rest,
      ...kind,
      operation,
      namespace,
      version: kind.served[version % kind.served.length] ?? 'v1',
      ...(operation === 'CONNECT' ? { object: { command: ['sh'] } } : {}),
      ...(operation === 'CREATE' || operation === 'UPDATE' ? { object: object(now) } : {}),
      ...(operation === 'DELETE' || operation === 'UPDATE'
        ? { oldObject: kind.resource === 'namespaces' ? stored(namespace) : object(before) }
        : {}),
    };
  });

function nameLabel(name: string): Record<string, string> {
  return { 'kubernetes.io/metadata.name': name };
}

function stored(namespace: string): JsonValue {
  return { metadata: { labels: NAMESPACES[namespace] ?? {} } };
}

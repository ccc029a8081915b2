import type { Permission } from '../../packages/server/src/cluster/doctor/cluster-facts.ts';
import type { KubernetesObject } from './kubernetes-objects.ts';

/** Roles and bindings that grant a user these permissions and nothing else. */
export function grantPermissions(user: string, permissions: readonly Permission[]): KubernetesObject[] {
  const byNamespace = Map.groupBy(permissions, ({ namespace }) => namespace);
  return [...byNamespace].flatMap(([namespace, members]) => {
    const prefix = namespace === undefined ? 'Cluster' : '';
    const metadata = { name: 'granted', ...(namespace === undefined ? {} : { namespace }) };
    return [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: `${prefix}Role`,
        metadata,
        rules: members.map(({ verb, group, resource, subresource, name }) => ({
          verbs: [verb],
          apiGroups: [group],
          resources: [subresource === undefined ? resource : `${resource}/${subresource}`],
          ...(name === undefined ? {} : { resourceNames: [name] }),
        })),
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: `${prefix}RoleBinding`,
        metadata,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: `${prefix}Role`, name: 'granted' },
        subjects: [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }],
      },
    ];
  });
}

import { equal } from 'node:assert/strict';
import type { KubeApiserver } from './kube-apiserver.ts';
import { collectionPath } from './kubernetes-objects.ts';

const RBAC = 'rbac.authorization.k8s.io';

/** What a role allows, as in `rbac.authorization.k8s.io/v1`. */
export interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

export type Subject =
  | { readonly kind: 'User' | 'Group'; readonly name: string }
  | { readonly kind: 'ServiceAccount'; readonly name: string; readonly namespace: string };

export interface RoleBinding {
  /** Of the role and of its binding. */
  readonly name: string;
  /** Absent: in the whole cluster. */
  readonly namespace?: string;
  readonly rules: readonly PolicyRule[];
  readonly subjects: readonly Subject[];
}

/** Makes a role and binds it. */
export async function bindRole(
  kube: KubeApiserver,
  { name, namespace, rules, subjects }: RoleBinding,
): Promise<void> {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  const objects = [
    { apiVersion: `${RBAC}/v1`, kind, metadata, rules },
    {
      apiVersion: `${RBAC}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: RBAC, kind, name },
      subjects: subjects.map((subject) =>
        subject.kind === 'ServiceAccount' ? subject : { ...subject, apiGroup: RBAC },
      ),
    },
  ];
  for (const object of objects) {
    const { status, text } = await kube.request('POST', collectionPath(object), object);
    equal(status, 201, text);
  }
}

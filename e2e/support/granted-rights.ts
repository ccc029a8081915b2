import type { AuditEvent } from './audit-log.ts';
import type { KubeApiserver } from './kube-apiserver.ts';
import { at } from './kubernetes-objects.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** One verb on one resource, as a rule grants it or a request uses it. */
export interface Right {
  readonly verb: string;
  readonly group: string;
  /** With the subresource, if any: `policies/status`. */
  readonly resource: string;
  /** Granted: absent for any. */
  readonly name?: string | undefined;
  /** Granted: absent for all. */
  readonly namespace?: string | undefined;
}

/** What roles that are bound to this very account grant, rule by rule and verb by verb. */
export async function grantedRights(
  kube: KubeApiserver,
  namespace: string,
  account: string,
): Promise<Right[]> {
  const isOurs = (binding: unknown): boolean =>
    list(at(binding, 'subjects')).some(
      (subject) => at(subject, 'name') === account && at(subject, 'namespace') === namespace,
    );
  const rights: Right[] = [];
  for (const plural of ['clusterrolebindings', 'rolebindings']) {
    const { body } = await kube.request('GET', `${RBAC}/${plural}`);
    for (const binding of list(at(body, 'items')).filter(isOurs)) {
      const own = at(binding, 'metadata', 'namespace');
      const inNamespace = typeof own === 'string' ? `namespaces/${own}/` : '';
      const { kind, name } = Object(at(binding, 'roleRef'));
      const path = kind === 'ClusterRole' ? `clusterroles/${name}` : `${inNamespace}roles/${name}`;
      const role = await kube.request('GET', `${RBAC}/${path}`);
      const rules = list(at(role.body, 'rules'));
      rights.push(...rules.flatMap((rule) => rightsOf(rule, typeof own === 'string' ? own : undefined)));
    }
  }
  return rights;
}

function rightsOf(rule: unknown, namespace: string | undefined): Right[] {
  const names = list(at(rule, 'resourceNames')).map(String);
  return list(at(rule, 'apiGroups')).flatMap((group) =>
    list(at(rule, 'resources')).flatMap((resource) =>
      list(at(rule, 'verbs')).flatMap((verb) =>
        (names.length === 0 ? [undefined] : names).map((name) => ({
          verb: String(verb),
          group: String(group),
          resource: String(resource),
          name,
          namespace,
        })),
      ),
    ),
  );
}

/** What a user asked of the API server and was allowed to. A server-side apply that made its object is a creation too. */
export function usedRights(events: readonly AuditEvent[], username: string): Right[] {
  return events
    .filter((event) => event.user.username === username && !isForbidden(event))
    .flatMap((event) => {
      const right = rightOf(event);
      const isCreation = event.verb === 'patch' && event.responseStatus?.code === 201;
      return isCreation ? [right, { ...right, verb: 'create' }] : [right];
    });
}

/** What it asked and was refused for want of a right, as sentences. */
export function forbiddenRequests(events: readonly AuditEvent[], username: string): string[] {
  return events
    .filter((event) => event.user.username === username && isForbidden(event))
    .map((event) => describeRight(rightOf(event)));
}

/** Those that nobody used, as sentences. */
export function unusedRights(granted: readonly Right[], used: readonly Right[]): string[] {
  return granted.filter((right) => !used.some((use) => covers(right, use))).map(describeRight);
}

function covers(right: Right, use: Right): boolean {
  return (
    right.verb === use.verb &&
    right.group === use.group &&
    right.resource === use.resource &&
    (right.name === undefined || right.name === use.name) &&
    (right.namespace === undefined || right.namespace === use.namespace)
  );
}

function rightOf({ verb, objectRef }: AuditEvent): Right {
  const { resource = '', subresource, apiGroup = '', name, namespace } = objectRef ?? {};
  return {
    verb,
    group: apiGroup,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    name,
    namespace,
  };
}

function describeRight({ verb, group, resource, name, namespace }: Right): string {
  const what = `${verb} ${group === '' ? resource : `${resource}.${group}`}${name === undefined ? '' : ` ${name}`}`;
  return namespace === undefined ? what : `${what} in ${namespace}`;
}

function isForbidden({ annotations, responseStatus }: AuditEvent): boolean {
  return responseStatus?.code === 403 && annotations?.['authorization.k8s.io/decision'] === 'forbid';
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

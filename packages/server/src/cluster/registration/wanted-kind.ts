import type { Operation, Policy, ResourceRule } from '@portcullis/contract';

/** One kind of request that somebody wants to be asked about; `*` stands for everything in its field. */
export interface WantedKind {
  readonly operations: readonly Operation[];
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** `""`: the resource itself; `*`: the resource and all its subresources. */
  readonly subresource: string;
  readonly scope: ResourceRule['scope'];
}

export const OPERATIONS: readonly Operation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

const EVERYTHING: ResourceRule = {
  apiGroups: ['*'],
  apiVersions: ['*'],
  resources: ['*/*'],
  scope: '*',
  resourceNames: [],
};

/**
 * The kinds of requests that a policy can match at all. A policy that is limited to namespaces never judges other objects of
 * the cluster, so its rules lose them here: a namespaceSelector cannot leave them out.
 */
export function wantedKinds({ metadata, spec }: Policy): WantedKind[] {
  const { operations, resources, namespaces } = spec.match;
  const takesAll = namespaces.length === 0 || namespaces.some((glob) => /^\*+$/.test(glob));
  const wanted: WantedKind[] = [];
  for (const rule of resources.length === 0 ? [EVERYTHING] : resources) {
    for (const kind of kindsOf(rule, operationsOf(rule, operations.length === 0 ? OPERATIONS : operations))) {
      if (metadata.namespace === undefined && takesAll) wanted.push(kind);
      else {
        if (kind.scope !== 'Cluster') wanted.push({ ...kind, scope: 'Namespaced' });
        if (metadata.namespace === undefined) wanted.push(...namespaceObjects(kind));
      }
    }
  }
  return wanted;
}

function operationsOf({ operations }: ResourceRule, all: readonly Operation[]): readonly Operation[] {
  return operations === undefined ? all : all.filter((operation) => operations.includes(operation));
}

function kindsOf(rule: ResourceRule, operations: readonly Operation[]): WantedKind[] {
  if (operations.length === 0) return [];
  return rule.apiGroups.flatMap((group) =>
    rule.apiVersions
      // Others are served nowhere, and an API server refuses an empty one.
      .filter((version) => /^(?:\*|[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)$/.test(version))
      .flatMap((version) =>
        rule.resources.map((pattern) => ({
          operations,
          group,
          version,
          ...splitPattern(pattern),
          scope: rule.scope,
        })),
      ),
  );
}

function splitPattern(pattern: string): Pick<WantedKind, 'resource' | 'subresource'> {
  const slash = pattern.indexOf('/');
  if (slash === -1) return { resource: pattern, subresource: '' };
  return { resource: pattern.slice(0, slash), subresource: pattern.slice(slash + 1) };
}

/** Namespace objects count by their own name. */
function namespaceObjects(kind: WantedKind): WantedKind[] {
  if (kind.scope === 'Namespaced' || !isIn(kind.group, '') || !isIn(kind.resource, 'namespaces')) return [];
  return [{ ...kind, group: '', resource: 'namespaces', scope: 'Cluster' }];
}

function isIn(pattern: string, value: string): boolean {
  return pattern === '*' || pattern === value;
}

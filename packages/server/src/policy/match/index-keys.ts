import type { GroupVersionResource, Match, Policy, Review } from '@portcullis/contract';
import { isNamespaceObject } from './scope.ts';

/** What a request has at least to have to concern a policy, in a form by which policies can be filed. Undefined: anything. */
export interface IndexKeys {
  /** As {@link resourceKey} makes them. */
  readonly resources: readonly string[] | undefined;
  /** As {@link namespaceKey} makes them. */
  readonly namespaces: readonly string[] | undefined;
}

export function indexKeysOf({ metadata, spec: { match } }: Policy): IndexKeys {
  return {
    resources: resourceKeys(match),
    namespaces: metadata.namespace === undefined ? namespaceNames(match) : [metadata.namespace],
  };
}

export function resourceKey({ group, resource }: Omit<GroupVersionResource, 'version'>): string {
  return `${group}/${resource}`;
}

/** The namespace that a request counts for: a Namespace object counts for itself. Empty for other objects of the cluster. */
export function namespaceKey(review: Review): string {
  return review.namespace === '' && isNamespaceObject(review) ? review.name : review.namespace;
}

function resourceKeys({ resources, nonResourceURLs }: Match): readonly string[] | undefined {
  if (resources.length === 0 && nonResourceURLs === undefined) return undefined;
  const keys = new Set<string>();
  if (nonResourceURLs !== undefined) keys.add(resourceKey({ group: '', resource: '' }));
  for (const rule of resources) {
    for (const pattern of rule.resources) {
      const [resource = ''] = pattern.split('/', 1);
      if (resource === '*' || rule.apiGroups.includes('*')) return undefined;
      for (const group of rule.apiGroups) keys.add(resourceKey({ group, resource }));
    }
  }
  return [...keys];
}

function namespaceNames({ namespaces }: Match): readonly string[] | undefined {
  const isExact = namespaces.length > 0 && !namespaces.some((glob) => /[*?]/.test(glob));
  return isExact ? [...new Set(namespaces)] : undefined;
}

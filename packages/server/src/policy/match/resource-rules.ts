import type { GroupVersionResource, Operation, ResourceRule } from '@portcullis/contract';

export interface CompiledRule {
  matchesKind(
    operation: Operation,
    resource: GroupVersionResource,
    subresource: string,
    namespaced: boolean,
  ): boolean;
  /** Undefined: every name. */
  readonly names: ReadonlySet<string> | undefined;
}

/**
 * Kubernetes' rules, as its API server runs them (apiserver: pkg/admission/plugin/webhook/predicates/rules). Without a `/` a
 * pattern means no subresource, so `*` leaves subresources out; `pods/*` means pods with and without one.
 */
export function compileRule(rule: ResourceRule): CompiledRule {
  const groups = rule.apiGroups.includes('*') ? undefined : rule.apiGroups;
  const versions = rule.apiVersions.includes('*') ? undefined : rule.apiVersions;
  const patterns = rule.resources.map(splitPattern);
  const { scope, operations } = rule;
  return {
    names: rule.resourceNames.length === 0 ? undefined : new Set(rule.resourceNames),
    matchesKind(operation, resource, subresource, namespaced) {
      if (operations !== undefined && !operations.includes(operation)) return false;
      if (scope !== '*' && namespaced !== (scope === 'Namespaced')) return false;
      if (groups !== undefined && !groups.includes(resource.group)) return false;
      if (versions !== undefined && !versions.includes(resource.version)) return false;
      for (const pattern of patterns) {
        if (
          (pattern.resource === '*' || pattern.resource === resource.resource) &&
          (pattern.subresource === '*' || pattern.subresource === subresource)
        ) {
          return true;
        }
      }
      return false;
    },
  };
}

interface Pattern {
  readonly resource: string;
  readonly subresource: string;
}

function splitPattern(pattern: string): Pattern {
  const slash = pattern.indexOf('/');
  if (slash === -1) return { resource: pattern, subresource: '' };
  return { resource: pattern.slice(0, slash), subresource: pattern.slice(slash + 1) };
}

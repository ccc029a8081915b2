import type { GroupVersionResource, Match, Operation, Review } from '@portcullis/contract';
import type { Fault } from '../../kernel/fault.ts';
import { createGlobMatcher, type TextMatcher } from './glob.ts';
import { createNamespaceNameMatcher, type ReviewMatcher } from './namespace-matcher.ts';
import { compileRule, type CompiledRule } from './resource-rules.ts';
import { isNamespaced } from './scope.ts';

export interface AccessMatcher {
  matchesKind(
    operation: Operation,
    resource: GroupVersionResource,
    subresource: string,
    namespaced: boolean,
  ): boolean;
  matchesObject(review: Review): boolean | Fault;
}

/** Whether a policy concerns what somebody wants to do. Rules and paths are those of RBAC: either is enough, none means all. */
export function createAccessMatcher(match: Match, conditions: ReviewMatcher<boolean | Fault>): AccessMatcher {
  const rules = match.resources.map(compileRule);
  const paths = createPathMatcher(match.nonResourceURLs ?? []);
  const takesAll = rules.length === 0 && match.nonResourceURLs === undefined;
  const isVerb = match.verbs === undefined || match.verbs.includes('*') ? undefined : new Set(match.verbs);
  const isUser = match.users === undefined ? undefined : createGlobMatcher(match.users);
  const groups = match.groups === undefined ? undefined : new Set(match.groups);
  const namespaceName = createNamespaceNameMatcher(match);

  function matchesTarget(review: Review): boolean {
    if (takesAll) return true;
    if (review.path !== undefined) return paths(review.path);
    const namespaced = isNamespaced(review);
    return rules.some((rule) => matchesRule(rule, review, namespaced));
  }

  return {
    // A resource without a name can be a path: only the request itself tells.
    matchesKind: (operation, resource, subresource, namespaced) =>
      takesAll ||
      resource.resource === '' ||
      rules.some((rule) => rule.matchesKind(operation, resource, subresource, namespaced)),

    matchesObject(review) {
      if (isVerb !== undefined && !isVerb.has(review.verb ?? '')) return false;
      if (isUser !== undefined && !isUser(review.user.username)) return false;
      if (groups !== undefined && !review.user.groups.some((group) => groups.has(group))) return false;
      if (!matchesTarget(review)) return false;
      if (namespaceName !== undefined && !namespaceName(review)) return false;
      return conditions === undefined || conditions(review);
    },
  };
}

function matchesRule({ names, matchesKind }: CompiledRule, review: Review, namespaced: boolean): boolean {
  if (names !== undefined && !names.has(review.name)) return false;
  return matchesKind(review.operation, review.resource, review.subresource, namespaced);
}

/** A `*` at the end takes every path that begins so; elsewhere it cannot stand. */
function createPathMatcher(urls: readonly string[]): TextMatcher {
  const exact = new Set(urls.filter((url) => !url.endsWith('*')));
  const prefixes = urls.filter((url) => url.endsWith('*')).map((url) => url.slice(0, -1));
  return (path) => exact.has(path) || prefixes.some((prefix) => path.startsWith(prefix));
}

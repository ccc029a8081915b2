import type {
  GateName,
  GroupVersionResource,
  Match,
  Operation,
  PolicyMetadata,
  Review,
} from '@portcullis/contract';
import { isFault, type Fault } from '../kernel/fault.ts';
import type { NamespaceLabels } from '../kernel/ports.ts';
import { createAccessMatcher } from './match/access-matcher.ts';
import { createConditions } from './match/conditions.ts';
import { createNamespaceNameMatcher, createNamespaceSelector } from './match/namespace-matcher.ts';
import { createObjectSelector } from './match/object-selector.ts';
import { compileRule } from './match/resource-rules.ts';
import { isNamespaced } from './match/scope.ts';

export interface MatcherPorts {
  readonly namespaceLabels: NamespaceLabels;
}

/**
 * Decides whether a policy concerns a request. Compiled once; the cheap checks come first, and the object is parsed only when
 * a selector or a condition asks for it.
 */
export interface Matcher {
  /** Both parts together. */
  matches(review: Review): boolean | Fault;
  /**
   * What depends only on the kind of the request, so that a caller can remember it. `namespaced` is false for objects of the
   * cluster, Namespace objects among them.
   */
  matchesKind(
    operation: Operation,
    resource: GroupVersionResource,
    subresource: string,
    namespaced: boolean,
  ): boolean;
  /**
   * The rest, for a request whose kind matches: names, namespaces, selectors, conditions. PC_POLICY_NAMESPACE or
   * PC_POLICY_CONDITION when it cannot be decided.
   */
  matchesObject(review: Review): boolean | Fault;
}

/** What a matcher needs of a policy or an exception. */
export interface Matched {
  readonly metadata: Pick<PolicyMetadata, 'namespace'>;
  readonly spec: { readonly match: Match; readonly gate?: GateName };
}

/** PC_POLICY_CONDITION when a CEL condition does not compile. */
export function createMatcher(policy: Matched, { namespaceLabels }: MatcherPorts): Matcher | Fault {
  const { match, gate } = policy.spec;
  const compiled = createConditions(match);
  if (isFault(compiled)) return compiled;
  const conditions = compiled;
  if (gate === 'authorization') return whole(createAccessMatcher(match, conditions));

  const { namespace } = policy.metadata;
  const { operations } = match;
  const rules = match.resources.map(compileRule);
  const hasNames = rules.some(({ names }) => names !== undefined);
  const namespaceName = createNamespaceNameMatcher(match);
  const namespaceSelector = createNamespaceSelector(match, namespaceLabels);
  const objectSelector = createObjectSelector(match);

  function matchesKind(
    operation: Operation,
    resource: GroupVersionResource,
    subresource: string,
    namespaced: boolean,
  ): boolean {
    if (namespace !== undefined && !namespaced) return false;
    if (operations.length > 0 && !operations.includes(operation)) return false;
    if (rules.length === 0) return true;
    for (const rule of rules) if (rule.matchesKind(operation, resource, subresource, namespaced)) return true;
    return false;
  }

  /** A rule with names counts only for requests that the same rule matches by kind. */
  function matchesName(review: Review): boolean {
    const namespaced = isNamespaced(review);
    for (const { names, matchesKind: matchesRule } of rules) {
      if (names !== undefined && !names.has(review.name)) continue;
      if (matchesRule(review.operation, review.resource, review.subresource, namespaced)) return true;
    }
    return false;
  }

  function matchesObject(review: Review): boolean | Fault {
    if (namespace !== undefined && !isWithin(review, namespace)) return false;
    if (hasNames && !matchesName(review)) return false;
    if (namespaceName !== undefined && !namespaceName(review)) return false;
    const selected = namespaceSelector === undefined || namespaceSelector(review);
    if (selected === false) return false;
    // What is certainly no match is none, even when the labels of the namespace are not known.
    if (objectSelector !== undefined && !objectSelector(review)) return false;
    return isFault(selected) || conditions === undefined ? selected : conditions(review);
  }

  return whole({ matchesKind, matchesObject });
}

function whole({ matchesKind, matchesObject }: Omit<Matcher, 'matches'>): Matcher {
  return {
    matchesKind,
    matchesObject,
    matches(review) {
      const { operation, resource, subresource } = review;
      return matchesKind(operation, resource, subresource, isNamespaced(review)) && matchesObject(review);
    },
  };
}

/** The namespace of a namespaced policy holds whatever its rules, selectors and conditions say. */
function isWithin(review: Review, namespace: string): boolean {
  return review.namespace === namespace && isNamespaced(review);
}

import type { PolicyException, Review } from '@portcullis/contract';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { createGlobMatcher } from '../match/glob.ts';
import { createLabelMatcher, labelsOf } from '../match/label-selector.ts';
import { isNamespaceObject } from '../match/scope.ts';
import { createMatcher, type MatcherPorts } from '../matcher.ts';

/** Decides whether an exception covers a request. Compiled once. */
export interface ExceptionMatcher {
  readonly name: string;
  /** Whether the exception is from this policy. */
  names(policy: string): boolean;
  /** `now` in milliseconds since 1970. What cannot be decided is not covered: an exception only ever takes away from a denial. */
  covers(review: Review, now: number): boolean;
}

/** PC_POLICY_CONDITION when a CEL condition does not compile. */
export function createExceptionMatcher(
  { metadata, spec }: PolicyException,
  ports: MatcherPorts,
): ExceptionMatcher | Fault {
  const matcher = createMatcher({ metadata, spec }, ports);
  if (isFault(matcher)) return matcher;
  const isNamed = createGlobMatcher(spec.policies);
  const isUser = spec.users.length === 0 ? undefined : createGlobMatcher(spec.users);
  const groups = spec.groups.length === 0 ? undefined : new Set(spec.groups);
  const { expires } = spec;
  const hasLabels = createLabelMatcher(spec.match.objectSelector);
  const needsNamespace = createLabelMatcher(spec.match.namespaceSelector) !== undefined;

  /** Where a policy takes in what it is not sure to leave out, an exception has to leave it out. */
  function isSurelySelected(review: Review): boolean {
    if (needsNamespace && review.namespace === '' && !isNamespaceObject(review)) return false;
    if (hasLabels === undefined) return true;
    return [review.object, review.oldObject].every((object) => {
      const labels = labelsOf(object?.value());
      return labels === undefined || hasLabels(labels);
    });
  }

  return {
    name: metadata.name,
    names: isNamed,
    covers(review, now) {
      if (expires !== 'never' && now >= expires) return false;
      if (isUser !== undefined && !isUser(review.user.username)) return false;
      if (groups !== undefined && !review.user.groups.some((group) => groups.has(group))) return false;
      return matcher.matches(review) === true && isSurelySelected(review);
    },
  };
}

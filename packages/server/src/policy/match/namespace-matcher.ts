import type { Match, Review } from '@portcullis/contract';
import { Fault } from '../../kernel/fault.ts';
import type { NamespaceLabels } from '../../kernel/ports.ts';
import { createGlobMatcher } from './glob.ts';
import { createLabelMatcher, labelsOf, type Labels } from './label-selector.ts';
import { isNamespaceObject } from './scope.ts';

/** Undefined when every request matches. */
export type ReviewMatcher<T> = ((review: Review) => T) | undefined;

/**
 * By name. Objects of the cluster have no namespace: `namespaces` other than `*` leaves them out, `excludedNamespaces` never
 * does. A Namespace object counts by its own name in both.
 */
export function createNamespaceNameMatcher({
  namespaces,
  excludedNamespaces,
}: Match): ReviewMatcher<boolean> {
  const takesAll = namespaces.length === 0 || namespaces.some((glob) => /^\*+$/.test(glob));
  if (takesAll && excludedNamespaces.length === 0) return undefined;
  const isTaken = createGlobMatcher(takesAll ? ['*'] : namespaces);
  const isExcluded = createGlobMatcher(excludedNamespaces);
  return (review) => {
    const namespace = review.namespace === '' && isNamespaceObject(review) ? review.name : review.namespace;
    return namespace === '' ? takesAll : isTaken(namespace) && !isExcluded(namespace);
  };
}

/**
 * By labels, as the API server does: objects of the cluster always match; a Namespace object that is created or updated
 * counts by the labels that it comes with. PC_POLICY_NAMESPACE when the labels are not known.
 */
export function createNamespaceSelector(
  { namespaceSelector }: Match,
  namespaceLabels: NamespaceLabels,
): ReviewMatcher<boolean | Fault> {
  const matches = createLabelMatcher(namespaceSelector);
  if (matches === undefined) return undefined;
  return (review) => {
    const isNamespace = isNamespaceObject(review);
    if (review.namespace === '' && !isNamespace) return true;
    const labels = (isNamespace ? ownLabels(review) : undefined) ?? namespaceLabels(review.namespace);
    if (labels !== undefined) return matches(labels);
    return new Fault('PC_POLICY_NAMESPACE', `the labels of namespace \`${review.namespace}\` are not known`, {
      data: { namespace: review.namespace },
    });
  };
}

/** On DELETE, and for subresources, whose object may be something else, those that are stored. */
function ownLabels({ operation, subresource, object, oldObject }: Review): Labels | undefined {
  const isIncoming = subresource === '' && (operation === 'CREATE' || operation === 'UPDATE');
  return labelsOf((isIncoming ? object : oldObject)?.value());
}

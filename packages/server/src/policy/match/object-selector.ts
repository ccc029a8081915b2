import type { Match } from '@portcullis/contract';
import { createLabelMatcher, labelsOf } from './label-selector.ts';
import type { ReviewMatcher } from './namespace-matcher.ts';

/** Matches when the old or the new object does; what is no Kubernetes object (options of CONNECT) never does. */
export function createObjectSelector({ objectSelector }: Match): ReviewMatcher<boolean> {
  const matches = createLabelMatcher(objectSelector);
  if (matches === undefined) return undefined;
  return ({ object, oldObject }) => {
    const incoming = labelsOf(object?.value());
    if (incoming !== undefined && matches(incoming)) return true;
    const stored = labelsOf(oldObject?.value());
    return stored !== undefined && matches(stored);
  };
}

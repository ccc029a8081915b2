import type { JsonObject, LabelRequirement, LabelSelector, Policy } from '@portcullis/contract';

/**
 * The selector that all policies of a webhook have, which may then be evaluated by the API server; undefined when they differ,
 * or have none.
 */
export function sharedSelector(
  policies: readonly Policy[],
  which: 'namespaceSelector' | 'objectSelector',
): LabelSelector | undefined {
  const [first, ...others] = policies.map(({ spec }) => spec.match[which]);
  if (first === undefined || isEmpty(first)) return undefined;
  const text = canonical(first);
  return others.every((other) => other !== undefined && canonical(other) === text) ? first : undefined;
}

/** As Kubernetes writes it; `{}` selects everything. */
export function selectorDocument(
  selector: LabelSelector | undefined,
  requirement?: LabelRequirement,
): JsonObject {
  const labels = Object.entries(selector?.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const expressions = [
    ...(selector?.matchExpressions ?? []),
    ...(requirement === undefined ? [] : [requirement]),
  ].map(({ key, operator, values }) => ({
    key,
    operator,
    ...(values.length === 0 ? {} : { values: [...values] }),
  }));
  return {
    ...(labels.length === 0 ? {} : { matchLabels: Object.fromEntries(labels) }),
    ...(expressions.length === 0 ? {} : { matchExpressions: expressions }),
  };
}

function isEmpty({ matchLabels, matchExpressions }: LabelSelector): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0;
}

function canonical(selector: LabelSelector): string {
  return JSON.stringify(selectorDocument(selector));
}

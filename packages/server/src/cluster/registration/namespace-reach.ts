import type { LabelRequirement, Policy } from '@portcullis/contract';
import { createGlobMatcher } from '../../policy/match/glob.ts';

/** The label that an API server itself puts on each namespace, whatever a user writes. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** The namespaces that a policy can match, by name. */
export interface NamespaceReach {
  /** Exactly these and no other objects of the cluster; undefined: not limited to certain names. */
  readonly only: readonly string[] | undefined;
  /** Names that the policy leaves out. */
  readonly excluded: readonly string[];
  isExcluded(namespace: string): boolean;
}

export function namespaceReach({ metadata, spec }: Policy): NamespaceReach {
  const { namespaces, excludedNamespaces } = spec.match;
  const isTaken = createGlobMatcher(namespaces.length === 0 ? ['*'] : namespaces);
  const isLeftOut = createGlobMatcher(excludedNamespaces);
  const isExcluded = (name: string): boolean => !isTaken(name) || isLeftOut(name);
  const exact = namespaces.length > 0 && namespaces.every(isExact) ? namespaces : undefined;
  const only = metadata.namespace === undefined ? exact : [metadata.namespace];
  return {
    only: only?.filter((name) => !isExcluded(name) && isNamespaceName(name)),
    excluded: excludedNamespaces.filter((glob) => isExact(glob) && isNamespaceName(glob)),
    isExcluded,
  };
}

/**
 * The names that a webhook of these policies must see, as one requirement on the labels of the namespace; undefined when it
 * must see all. No API server evaluates it for objects of the cluster other than Namespaces.
 */
export function namespaceRequirement(
  reaches: readonly NamespaceReach[],
  exempt: readonly string[],
): LabelRequirement | undefined {
  if (reaches.every(({ only }) => only !== undefined)) {
    const wanted = reaches.flatMap(({ only }) => only ?? []).filter((name) => !exempt.includes(name));
    return { key: NAME_LABEL, operator: 'In', values: sorted(wanted) };
  }
  const excluded = [...new Set(reaches.flatMap((reach) => reach.excluded))].filter((name) =>
    reaches.every((reach) => isOutside(reach, name)),
  );
  const values = sorted([...exempt.filter(isNamespaceName), ...excluded]);
  return values.length === 0 ? undefined : { key: NAME_LABEL, operator: 'NotIn', values };
}

function isOutside({ only, isExcluded }: NamespaceReach, name: string): boolean {
  return isExcluded(name) || (only !== undefined && !only.includes(name));
}

function isExact(glob: string): boolean {
  return !/[*?]/.test(glob);
}

/** Others do not exist, and an API server would refuse them as values of a label. */
function isNamespaceName(name: string): boolean {
  return /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name);
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

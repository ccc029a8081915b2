import type { LabelSelector, Match, ResourceRule, Review } from '@portcullis/contract';

/** What the matcher must answer, said as plainly as possible; without conditions. `unknown`: the labels of the namespace are needed. */
export function referenceMatch(
  match: Match,
  review: Review,
  labelsOfNamespace: (name: string) => Record<string, string> | undefined,
): boolean | 'unknown' {
  if (match.operations.length > 0 && !match.operations.includes(review.operation)) return false;
  if (!resourceMatches(match, review) || !nameMatches(match, review) || !objectMatches(match, review))
    return false;

  const selector = match.namespaceSelector;
  if (selector === undefined || isEverything(selector)) return true;
  if (isCluster(review) && !isNamespace(review)) return true;
  const own = isNamespace(review) ? labelsOfNamespaceObject(review) : undefined;
  const known = own ?? labelsOfNamespace(review.namespace);
  return known === undefined ? 'unknown' : selectorMatches(selector, known);
}

function isNamespace({ resource }: Review): boolean {
  return resource.group === '' && resource.resource === 'namespaces';
}

function isCluster(review: Review): boolean {
  return isNamespace(review) || review.namespace === '';
}

function resourceMatches({ resources }: Match, review: Review): boolean {
  return resources.length === 0 || resources.some((rule) => ruleMatches(rule, review, isCluster(review)));
}

/** Globs look at no name for objects of the cluster that are no Namespaces. */
function nameMatches({ namespaces, excludedNamespaces }: Match, review: Review): boolean {
  const name = isNamespace(review) ? review.namespace || review.name : review.namespace;
  const takesAll = namespaces.length === 0 || namespaces.includes('*');
  if (name === '') return takesAll;
  const isTaken = takesAll || namespaces.some((glob) => globMatches(glob, name));
  return isTaken && !excludedNamespaces.some((glob) => globMatches(glob, name));
}

function objectMatches({ objectSelector }: Match, { object, oldObject }: Review): boolean {
  if (objectSelector === undefined || isEverything(objectSelector)) return true;
  return [object, oldObject]
    .map((document) => labelsOfObject(document?.value()))
    .some((labels) => labels !== undefined && selectorMatches(objectSelector, labels));
}

function ruleMatches(rule: ResourceRule, review: Review, hasClusterScope: boolean): boolean {
  const { group, version, resource } = review.resource;
  const wanted = review.subresource === '' ? [resource, '*'] : [];
  const names = [
    ...wanted,
    ...[resource, '*'].flatMap((name) => [`${name}/${review.subresource}`, `${name}/*`]),
  ];
  return (
    (rule.apiGroups.includes('*') || rule.apiGroups.includes(group)) &&
    (rule.apiVersions.includes('*') || rule.apiVersions.includes(version)) &&
    rule.resources.some((pattern) => names.includes(pattern)) &&
    (rule.scope === '*' || (rule.scope === 'Cluster') === hasClusterScope) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(review.name))
  );
}

export function globMatches(glob: string, text: string): boolean {
  if (glob === '') return text === '';
  if (glob.startsWith('*')) {
    return Array.from({ length: text.length + 1 }, (_, skipped) => text.slice(skipped)).some((rest) =>
      globMatches(glob.slice(1), rest),
    );
  }
  return (
    text !== '' && (glob.startsWith('?') || glob[0] === text[0]) && globMatches(glob.slice(1), text.slice(1))
  );
}

function isEverything(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels).length + selector.matchExpressions.length === 0;
}

function selectorMatches(selector: LabelSelector, labels: Record<string, unknown>): boolean {
  const has = (key: string): boolean => typeof labels[key] === 'string';
  return (
    Object.entries(selector.matchLabels).every(([key, value]) => labels[key] === value) &&
    selector.matchExpressions.every(({ key, operator, values }) => {
      const isIn = has(key) && values.includes(labels[key] as string);
      return { In: isIn, NotIn: !isIn, Exists: has(key), DoesNotExist: !has(key) }[operator];
    })
  );
}

function labelsOfNamespaceObject({
  operation,
  subresource,
  object,
  oldObject,
}: Review): Record<string, unknown> | undefined {
  const isChanged = subresource === '' && ['CREATE', 'UPDATE'].includes(operation);
  return labelsOfObject(isChanged ? object?.value() : oldObject?.value());
}

function labelsOfObject(value: unknown): Record<string, unknown> | undefined {
  const { metadata } = (value ?? {}) as { metadata?: { labels?: Record<string, unknown> } };
  return metadata === undefined ? undefined : (metadata.labels ?? {});
}

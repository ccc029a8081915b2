import type { LabelSelector, Match, ResourceRule, Review } from '@portcullis/contract';

/** What the matcher must answer, said as plainly as possible; without conditions. `unknown`: the labels of the namespace are needed. */
export function referenceMatch(
  match: Match,
  review: Review,
  labelsOfNamespace: (name: string) => Record<string, string> | undefined,
): boolean | 'unknown' {
  const isNamespace = review.resource.group === '' && review.resource.resource === 'namespaces';
  const isCluster = isNamespace || review.namespace === '';

  const operation = match.operations.length === 0 || match.operations.includes(review.operation);
  const resource =
    match.resources.length === 0 || match.resources.some((rule) => ruleMatches(rule, review, isCluster));
  if (!operation || !resource) return false;

  // The name that globs look at: none for objects of the cluster that are no Namespaces.
  const name = isNamespace ? review.namespace || review.name : review.namespace;
  const all = match.namespaces.length === 0 || match.namespaces.includes('*');
  if (name === '' && !all) return false;
  if (name !== '' && !all && !match.namespaces.some((glob) => globMatches(glob, name))) return false;
  if (name !== '' && match.excludedNamespaces.some((glob) => globMatches(glob, name))) return false;

  const object = match.objectSelector;
  if (object !== undefined && !isEverything(object)) {
    const candidates = [review.object, review.oldObject].map((document) => labelsOfObject(document?.value()));
    if (!candidates.some((labels) => labels !== undefined && selectorMatches(object, labels))) return false;
  }

  const namespace = match.namespaceSelector;
  if (namespace === undefined || isEverything(namespace)) return true;
  if (isCluster && !isNamespace) return true;
  const labels = isNamespace ? labelsOfNamespaceObject(review) : undefined;
  const known = labels ?? labelsOfNamespace(review.namespace);
  return known === undefined ? 'unknown' : selectorMatches(namespace, known);
}

function ruleMatches(rule: ResourceRule, review: Review, isCluster: boolean): boolean {
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
    (rule.scope === '*' || (rule.scope === 'Cluster') === isCluster) &&
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

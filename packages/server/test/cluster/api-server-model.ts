import type { JsonObject, JsonValue, Operation } from '@portcullis/contract';

/** A request as an API server has it before it asks webhooks. */
export interface ClientRequest {
  readonly operation: Operation;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly user: string;
  readonly object?: JsonValue;
  readonly oldObject?: JsonValue;
  /** Versions in which the API server serves the resource. */
  readonly served: readonly string[];
}

export interface Call {
  readonly webhook: string;
  readonly path: string;
  /** The version in which the object is sent. */
  readonly version: string;
}

interface Webhook {
  readonly name: string;
  readonly clientConfig: { readonly url: string };
  readonly rules: readonly Rule[];
  readonly namespaceSelector?: Selector;
  readonly objectSelector?: Selector;
  readonly matchConditions?: readonly { readonly name: string }[];
}

interface Rule {
  readonly operations: readonly string[];
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly scope: string;
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

type Labels = Readonly<Record<string, string>>;

/**
 * Which webhooks of a configuration an API server calls, written from its sources (apiserver: pkg/admission/plugin/webhook)
 * and from nothing of ours. Conditions are known by their names only, and a name that is not known is an error.
 */
export function callsOf(
  configuration: JsonObject | undefined,
  request: ClientRequest,
  labelsOfNamespace: (name: string) => Labels,
): Call[] {
  const webhooks = (configuration?.['webhooks'] ?? []) as unknown as readonly Webhook[];
  return webhooks.flatMap((webhook) => {
    if (!namespaceSelected(webhook.namespaceSelector, request, labelsOfNamespace)) return [];
    if (!objectSelected(webhook.objectSelector, request)) return [];
    const version = [request.version, ...request.served].find((candidate) =>
      webhook.rules.some((rule) => ruleMatches(rule, { ...request, version: candidate })),
    );
    if (version === undefined) return [];
    const stopped = webhook.matchConditions?.some(({ name }) => !conditionHolds(name, request));
    if (stopped === true) return [];
    return [{ webhook: webhook.name, path: new URL(webhook.clientConfig.url).pathname, version }];
  });
}

function ruleMatches(rule: Rule, request: ClientRequest): boolean {
  const clusterScoped =
    request.namespace === '' ||
    (request.group === '' && request.version === 'v1' && request.resource === 'namespaces');
  if (rule.scope === 'Namespaced' && clusterScoped) return false;
  if (rule.scope === 'Cluster' && !clusterScoped) return false;
  const has = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value);
  return (
    has(rule.operations, request.operation) &&
    has(rule.apiGroups, request.group) &&
    has(rule.apiVersions, request.version) &&
    rule.resources.some((pattern) => {
      const [resource = '', subresource = ''] = pattern.split('/');
      return (
        (resource === '*' || resource === request.resource) &&
        (subresource === '*' || subresource === request.subresource)
      );
    })
  );
}

function namespaceSelected(
  selector: Selector | undefined,
  request: ClientRequest,
  labelsOfNamespace: (name: string) => Labels,
): boolean {
  if (request.namespace === '' && request.resource !== 'namespaces') return true;
  const incoming =
    request.resource === 'namespaces' &&
    request.subresource === '' &&
    ['CREATE', 'UPDATE'].includes(request.operation);
  return selects(
    selector,
    incoming ? (labelsOf(request.object) ?? {}) : labelsOfNamespace(request.namespace),
  );
}

function objectSelected(selector: Selector | undefined, { object, oldObject }: ClientRequest): boolean {
  if (selector?.matchLabels === undefined && selector?.matchExpressions === undefined) return true;
  return [object, oldObject].some((one) => {
    const labels = labelsOf(one);
    return labels !== undefined && selects(selector, labels);
  });
}

function selects(selector: Selector | undefined, labels: Labels): boolean {
  const equal = Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    equal &&
    (selector?.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'In') return value !== undefined && values.includes(value);
      if (operator === 'NotIn') return value === undefined || !values.includes(value);
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      throw new Error(`an API server refuses the operator ${operator}`);
    })
  );
}

function labelsOf(object: JsonValue | undefined): Labels | undefined {
  const metadata = (object as { metadata?: { labels?: Labels } } | null | undefined)?.metadata;
  return metadata === undefined ? undefined : (metadata.labels ?? {});
}

/** What the conditions of a registration mean; e2e/suites/registration.e2e.ts holds their texts against a real API server. */
function conditionHolds(name: string, { group, resource, subresource, user }: ClientRequest): boolean {
  switch (name) {
    case 'not-portcullis':
      return user !== 'system:serviceaccount:portcullis:portcullis';
    case 'not-leases':
      return !(group === 'coordination.k8s.io' && resource === 'leases');
    case 'not-events':
      return !(['', 'events.k8s.io'].includes(group) && resource === 'events');
    case 'not-node-status':
      return !(group === '' && resource === 'nodes' && subresource === 'status');
    case 'not-reviews':
      return !['authentication.k8s.io', 'authorization.k8s.io'].includes(group);
    default:
      throw new Error(`no condition ${name} is known`);
  }
}

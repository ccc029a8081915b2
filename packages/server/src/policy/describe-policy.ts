import type {
  JsonObject,
  LabelSelector,
  Match,
  Policy,
  PolicyException,
  PolicyGroup,
  PolicyMetadata,
  PolicySpec,
} from '@portcullis/contract';
import { formatDuration } from '../kernel/duration.ts';
import { formatByteSize } from '../kernel/quantity.ts';
import { POLICY_API_VERSION } from './document/policy-document-schema.ts';

/**
 * The document of a policy, every default written out, in the order in which people write it. Parsing it gives the same policy
 * again (apart from its origin). Integers beyond doubles in `settings` stay `RawNumber`s: write it with an exact stringifier.
 */
export function describePolicy(policy: Policy): JsonObject {
  const { metadata, spec, group } = policy;
  return {
    apiVersion: POLICY_API_VERSION,
    kind: describeKind(policy),
    metadata: describeMetadata(metadata),
    spec: {
      gate: spec.gate,
      ...(group === undefined ? { phase: spec.phase } : {}),
      order: spec.order,
      mode: spec.mode,
      failurePolicy: spec.failurePolicy,
      enabled: spec.enabled,
      match: describeMatch(spec.match),
      ...(group === undefined ? describeProgram(spec) : describeGroup(group)),
      ...filled('systemNames', spec.systemNames ?? []),
      ...(spec.mutation === undefined ? {} : { mutation: { ...spec.mutation } }),
      ...given('message', spec.message),
      // No document says this: it is what tells one policy from another.
      ...(policy.byName === undefined ? {} : { byName: { ...policy.byName } }),
    },
  };
}

export function describeKind({ metadata, group }: Policy): string {
  return `${metadata.namespace === undefined ? '' : 'Namespaced'}${group === undefined ? 'Policy' : 'PolicyGroup'}`;
}

/** As {@link describePolicy}. */
export function describeException({ metadata, spec }: PolicyException): JsonObject {
  return {
    apiVersion: POLICY_API_VERSION,
    kind: 'PolicyException',
    metadata: describeMetadata(metadata),
    spec: {
      policies: spec.policies,
      match: describeMatch(spec.match),
      ...filled('users', spec.users),
      ...filled('groups', spec.groups),
      expires: spec.expires === 'never' ? spec.expires : new Date(spec.expires).toISOString(),
      reason: spec.reason,
    },
  };
}

function describeMetadata(metadata: PolicyMetadata): JsonObject {
  return {
    // Its name begins with its namespace.
    name: metadata.name.slice(metadata.namespace === undefined ? 0 : metadata.namespace.length + 1),
    ...given('namespace', metadata.namespace),
    ...given('version', metadata.version),
    ...given('description', metadata.description),
    ...filled('labels', metadata.labels),
    ...filled('annotations', metadata.annotations),
  };
}

function describeGroup({ expression, members }: PolicyGroup): JsonObject {
  const described = Object.entries(members).map(([name, { spec }]) => [name, describeProgram(spec)]);
  return { expression, members: Object.fromEntries(described) as JsonObject };
}

function describeProgram(spec: PolicySpec): JsonObject {
  const { engine, module, settings, limits, capabilities, contextAwareResources = [] } = spec;
  return {
    ...given('engine', engine),
    module: { ...module } as JsonObject,
    settings,
    limits: {
      timeout: formatDuration(limits.timeoutMs),
      memory: formatByteSize(limits.memoryBytes),
      fuel: limits.fuel,
      ...(limits.outputBytes === undefined ? {} : { output: formatByteSize(limits.outputBytes) }),
      ...(limits.concurrency === undefined ? {} : { concurrency: limits.concurrency }),
    },
    ...filled('capabilities', capabilities),
    ...filled(
      'contextAwareResources',
      contextAwareResources.map((readable) => ({ ...readable })),
    ),
  };
}

function describeMatch(match: Match): JsonObject {
  return {
    ...filled('operations', match.operations),
    ...filled(
      'resources',
      match.resources.map(({ resourceNames, ...rule }) => ({
        ...rule,
        ...filled('resourceNames', resourceNames),
      })),
    ),
    ...filled('namespaces', match.namespaces),
    ...filled('excludedNamespaces', match.excludedNamespaces),
    ...given('namespaceSelector', describeSelector(match.namespaceSelector)),
    ...given('objectSelector', describeSelector(match.objectSelector)),
    ...filled(
      'conditions',
      match.conditions.map((condition) => ({ ...condition })),
    ),
    ...given('verbs', match.verbs),
    ...given('nonResourceURLs', match.nonResourceURLs),
    ...given('users', match.users),
    ...given('groups', match.groups),
  };
}

function describeSelector(selector: LabelSelector | undefined): JsonObject | undefined {
  if (selector === undefined) return undefined;
  return {
    ...filled('matchLabels', selector.matchLabels),
    ...filled(
      'matchExpressions',
      selector.matchExpressions.map(({ key, operator, values }) => ({
        key,
        operator,
        ...filled('values', values),
      })),
    ),
  };
}

function given(key: string, value: JsonObject[string]): JsonObject {
  return value === undefined ? {} : { [key]: value };
}

/** A list or mapping, unless it is empty as it is by default. */
function filled(key: string, value: NonNullable<JsonObject[string]> & object): JsonObject {
  return Object.keys(value).length === 0 ? {} : { [key]: value };
}

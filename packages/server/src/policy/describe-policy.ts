import type { JsonObject, LabelSelector, Match, Policy } from '@portcullis/contract';
import { formatDuration } from '../kernel/duration.ts';
import { formatByteSize } from '../kernel/quantity.ts';
import { POLICY_API_VERSION } from './document/policy-document-schema.ts';

/**
 * The document of a policy, every default written out, in the order in which people write it. Parsing it gives the same policy
 * again (apart from its origin). Integers beyond doubles in `settings` stay `RawNumber`s: write it with an exact stringifier.
 */
export function describePolicy(policy: Policy): JsonObject {
  const { metadata, spec } = policy;
  return {
    apiVersion: POLICY_API_VERSION,
    kind: 'Policy',
    metadata: {
      name: metadata.name,
      ...given('version', metadata.version),
      ...given('description', metadata.description),
      ...filled('labels', metadata.labels),
      ...filled('annotations', metadata.annotations),
    },
    spec: {
      gate: spec.gate,
      phase: spec.phase,
      order: spec.order,
      mode: spec.mode,
      failurePolicy: spec.failurePolicy,
      enabled: spec.enabled,
      match: describeMatch(spec.match),
      ...given('engine', spec.engine),
      module: { ...spec.module } as JsonObject,
      settings: spec.settings,
      limits: {
        timeout: formatDuration(spec.limits.timeoutMs),
        memory: formatByteSize(spec.limits.memoryBytes),
        fuel: spec.limits.fuel,
      },
      ...filled('capabilities', spec.capabilities),
      ...given('message', spec.message),
    },
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

import type { FailurePolicy, JsonObject, Phase } from '@portcullis/contract';
import type { AskedPolicy } from './asked-policy.ts';
import { matchConditions } from './match-conditions.ts';
import { namespaceRequirement } from './namespace-reach.ts';
import {
  exemptNamespacesOf,
  registrationName,
  type Endpoint,
  type RegistrationNote,
  type RegistrationOptions,
} from './registration-options.ts';
import { selectorDocument, sharedSelector } from './shared-selector.ts';
import { trafficExclusions } from './traffic-exclusions.ts';
import type { VersionGroup } from './version-groups.ts';
import { webhookRules } from './webhook-rules.ts';
import { cappedSeconds, neededSeconds } from './webhook-timeout.ts';

const DEFAULT_MAX_SECONDS = 10;

/**
 * One entry of `webhooks`. Every field that an API server would fill in is written out: what is absent here and present there
 * was put there by somebody else.
 */
export function describeWebhook(
  { label, asked, allKinds, allAsked }: VersionGroup,
  phase: Phase,
  failureClass: FailurePolicy,
  options: RegistrationOptions,
): JsonObject {
  const policies = asked.map(({ policy }) => policy);
  const kinds = asked.flatMap((one) => one.kinds);
  const requirement = namespaceRequirement(
    asked.map(({ reach }) => reach),
    exemptNamespacesOf(options),
  );
  return {
    name: webhookName(label, phase, failureClass, options),
    clientConfig: clientConfig(options, admissionPath(failureClass, phase)),
    rules: webhookRules(kinds).map((rule) => ({ ...rule })),
    namespaceSelector: selectorDocument(sharedSelector(policies, 'namespaceSelector'), requirement),
    objectSelector: selectorDocument(sharedSelector(policies, 'objectSelector')),
    ...given(
      'matchConditions',
      matchConditions(policies, failureClass, trafficExclusions(kinds, allKinds), options),
    ),
    failurePolicy: failureClass,
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    timeoutSeconds: cappedSeconds(
      neededSeconds(
        allAsked.map(({ policy }) => policy),
        phase,
      ),
      options.maxTimeoutSeconds ?? DEFAULT_MAX_SECONDS,
    ),
    admissionReviewVersions: ['v1'],
    ...(phase === 'mutate' ? { reinvocationPolicy: 'IfNeeded' } : {}),
  };
}

/** The path of the gate that runs only the policies of a class. */
export function admissionPath(failureClass: FailurePolicy, phase: Phase): string {
  return `/admission/${failureClass.toLowerCase()}/${phase}`;
}

/** Policies of one class may need longer than an API server waits: then the slowest of them is named. */
export function needsMoreTime(
  asked: readonly AskedPolicy[],
  phase: Phase,
  { maxTimeoutSeconds = DEFAULT_MAX_SECONDS }: RegistrationOptions,
): RegistrationNote | undefined {
  const policies = asked.map(({ policy }) => policy);
  const needed = neededSeconds(policies, phase);
  const cap = cappedSeconds(needed, maxTimeoutSeconds);
  if (needed <= cap) return undefined;
  const slowest = policies.reduce((a, b) => (b.spec.limits.timeoutMs > a.spec.limits.timeoutMs ? b : a));
  const text =
    phase === 'mutate' && policies.length > 1
      ? `is the slowest of ${policies.length} mutating policies that may take ${needed} s one after another, and API servers wait ${cap} s: lower \`limits.timeout\` or raise \`kubernetes.registration.timeout\``
      : `may take ${needed} s, and API servers wait ${cap} s: lower \`limits.timeout\` or raise \`kubernetes.registration.timeout\``;
  return { policy: slowest.metadata.name, level: 'warning', text };
}

/** At least three segments, and different for servers that share a cluster. */
function webhookName(
  label: string,
  phase: Phase,
  failureClass: FailurePolicy,
  options: RegistrationOptions,
): string {
  const name = registrationName(options);
  const first = label === '' ? failureClass.toLowerCase() : `${failureClass.toLowerCase()}-${label}`;
  const owner = name === 'portcullis' ? 'portcullis.dev' : `${name}.portcullis.dev`;
  return `${first}.${phase}.${owner}`;
}

function clientConfig({ endpoint, caBundle }: RegistrationOptions, path: string): JsonObject {
  return {
    ...place(endpoint, path),
    ...(caBundle === undefined ? {} : { caBundle: Buffer.from(caBundle).toString('base64') }),
  };
}

function place(endpoint: Endpoint, path: string): JsonObject {
  if ('url' in endpoint) return { url: `${endpoint.url.replace(/\/+$/, '')}${path}` };
  const { name, namespace, port = 443 } = endpoint.service;
  return { service: { namespace, name, path, port } };
}

function given(key: string, value: object | undefined): JsonObject {
  return value === undefined ? {} : { [key]: value as JsonObject };
}

import type { JsonObject, JsonValue, Policy } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { isJsonObject } from '../../kernel/json/json-equal.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import type { KubeResource } from '../../kube/resource.ts';
import {
  CONFIG_MAPS,
  MUTATING_CONFIGURATIONS,
  VALIDATING_CONFIGURATIONS,
} from '../registration/configuration-resources.ts';
import { describeRegistration } from '../registration/describe-registration.ts';
import { KILL_SWITCH } from '../registration/registrar.ts';
import type { RegistrationOptions } from '../registration/registration-options.ts';
import type {
  ClusterFacts,
  DefinitionFacts,
  EndpointProbe,
  Permission,
  PermissionAnswer,
  ReadinessProbe,
} from './cluster-facts.ts';
import { addressOf, endpointName } from './endpoint-name.ts';
import { liveWebhooks, type LiveWebhook } from './live-webhook.ts';
import { expectedWebhooks, ownWebhooks } from './own-webhooks.ts';
import type { ProbeEndpoint } from './probe-endpoint.ts';

export interface GatherOptions {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'create'>;
  readonly probe: ProbeEndpoint;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly registration: RegistrationOptions;
  readonly policies: readonly Policy[];
  /** CustomResourceDefinitions of this version. */
  readonly definitions: readonly JsonObject[];
  readonly permissions: readonly Permission[];
  /** Whose permissions; absent: those of the client itself. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  /** Where to connect instead of the endpoint's own address, which may have a meaning inside the cluster only. */
  readonly connect?: { readonly host: string; readonly port: number };
  readonly readiness?: () => Promise<ReadinessProbe>;
}

const DEFINITIONS: KubeResource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};
const PROBE_TIMEOUT_MS = 5000;
/** The API server cannot be asked at all: then there is nothing to diagnose. */
const HOPELESS = new Set<string>(['PC_KUBE_UNREACHABLE', 'PC_KUBE_TIMEOUT', 'PC_KUBE_UNAUTHORIZED']);

/** Looks at everything that the checks need. A fault when the API server cannot be asked at all. */
export async function gatherFacts(options: GatherOptions): Promise<ClusterFacts | Fault> {
  const { now, policies, registration } = options;
  const webhooks = await readWebhooks(options);
  if (isFault(webhooks) && HOPELESS.has(webhooks.code)) return webhooks;
  const [isSwitchedOff, definitions, permissions, readiness] = await Promise.all([
    readSwitch(options),
    Promise.all(options.definitions.map((wanted) => readDefinition(options, wanted))),
    Promise.all(options.permissions.map((permission) => ask(options, permission))),
    options.readiness?.(),
  ]);
  const facts = {
    now,
    options: registration,
    policies,
    expected: describeRegistration(policies, registration),
    webhooks,
    isSwitchedOff,
    definitions,
    permissions,
    ...(readiness === undefined ? {} : { readiness }),
  };
  return { ...facts, probes: await probeAll(options, { ...facts, probes: [] }) };
}

async function readWebhooks({ client }: GatherOptions): Promise<LiveWebhook[] | Fault> {
  const found: LiveWebhook[] = [];
  for (const resource of [VALIDATING_CONFIGURATIONS, MUTATING_CONFIGURATIONS]) {
    const configurations = await client.list({ resource });
    if (isFault(configurations)) return configurations;
    found.push(...configurations.flatMap(liveWebhooks));
  }
  return found;
}

async function readSwitch({ client, registration }: GatherOptions): Promise<boolean | Fault> {
  const { ownNamespace } = registration;
  if (ownNamespace === undefined) return false;
  const found = await client.get({ resource: CONFIG_MAPS, namespace: ownNamespace, name: KILL_SWITCH });
  if (!isFault(found)) return true;
  return found.code === 'PC_KUBE_NOT_FOUND' ? false : found;
}

async function readDefinition({ client }: GatherOptions, wanted: JsonObject): Promise<DefinitionFacts> {
  const { metadata } = wanted;
  const name = isJsonObject(metadata) ? metadata['name'] : undefined;
  if (typeof name !== 'string') throw new TypeError('a definition needs a name');
  return { wanted, live: await client.get({ resource: DEFINITIONS, name }) };
}

async function ask(options: GatherOptions, permission: Permission): Promise<PermissionAnswer> {
  const { client, serviceAccount } = options;
  const { verb, group, resource, subresource, namespace, name } = permission;
  const resourceAttributes = { verb, group, resource, subresource, namespace, name };
  const kind = serviceAccount === undefined ? 'SelfSubjectAccessReview' : 'SubjectAccessReview';
  const answer = await client.create(
    {
      resource: {
        group: 'authorization.k8s.io',
        version: 'v1',
        plural: `${kind.toLowerCase()}s`,
        kind,
        namespaced: false,
        unnamed: true,
      },
    },
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind,
      spec: { resourceAttributes, ...(serviceAccount === undefined ? {} : userOf(serviceAccount)) },
    },
  );
  if (isFault(answer)) return { permission, allowed: answer };
  const status = answer['status'] as JsonValue | undefined;
  return { permission, allowed: isJsonObject(status) && status['allowed'] === true };
}

function userOf({ namespace, name }: NonNullable<GatherOptions['serviceAccount']>): object {
  return {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  };
}

/** Each endpoint and authority that our webhooks name; what they should name, while none is registered. */
async function probeAll(options: GatherOptions, facts: ClusterFacts): Promise<EndpointProbe[]> {
  const own = ownWebhooks(facts);
  const webhooks = own.length > 0 ? own : expectedWebhooks(facts);
  const groups = Map.groupBy(webhooks, ({ caBundle }) => caBundle);
  const { endpoint } = options.registration;
  const address = { ...addressOf(endpoint), ...options.connect };
  return Promise.all(
    [...groups].map(async ([caBundle, members]) => ({
      endpoint: endpointName(endpoint),
      webhooks: own.length > 0 ? members.map(({ name }) => name) : [],
      outcome: await options.probe({
        address,
        caBundle,
        paths: [...new Set(members.map(({ path }) => path))],
        timeout: PROBE_TIMEOUT_MS,
      }),
    })),
  );
}

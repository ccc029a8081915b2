import type { Policy, PolicyStatus } from '@portcullis/contract';
import { nameOfRefused } from '../../chain/name-of-refused.ts';
import type { PolicyLoader, ReloadReport } from '../../chain/policy-loader.ts';
import { describeRegistration } from '../../cluster/registration/describe-registration.ts';
import { createRegistrar, type RegistrarState } from '../../cluster/registration/registrar.ts';
import type { RegistrationOptions } from '../../cluster/registration/registration-options.ts';
import { describeExceptionStatus, describePolicyStatus } from '../../cluster/status/describe-status.ts';
import { createStatusWriter, type StatusSubject } from '../../cluster/status/status-writer.ts';
import { isFault } from '../../kernel/fault.ts';
import { createEventRecorder, type EventSubject } from '../../kube/events.ts';
import { createLeaderElection } from '../../kube/lease.ts';
import { pause } from '../../kube/kube-host.ts';
import { isRecord } from '../../kube/kube-object.ts';
import type { KubeResource } from '../../kube/resource.ts';
import { kubeResourceOf, type KeptResource } from '../../sources/crd/custom-resource-source.ts';
import type { Config } from '../config/config.ts';
import type { CertificateKeeper } from '../tls/certificate-keeper.ts';
import type { Cluster } from './open-cluster.ts';
import { openServingAuthority } from './serving-authority.ts';

export interface ClusterDutiesOptions {
  readonly config: Config;
  readonly cluster: Cluster;
  readonly loader: Pick<PolicyLoader, 'exceptions'>;
  /** In force. */
  readonly policies: () => readonly Policy[];
  /** With the last faults. */
  readonly status: (name: string) => PolicyStatus | undefined;
  readonly serving: CertificateKeeper | undefined;
  /** Whether the server is ready to be asked. */
  readonly isReady: () => boolean;
}

/** What one replica does for all: the status of objects, and the registration of the webhooks. */
export interface ClusterDuties {
  start(): void;
  /** Gives the lease back; what was registered stays, for other replicas. */
  stop(): Promise<void>;
  reloaded(report: ReloadReport): void;
  state(): DutiesState;
}

export interface DutiesState {
  readonly leading: boolean;
  /** As far as is known. */
  readonly leader: string | undefined;
  readonly registration: RegistrarState | undefined;
  readonly statusFailures: number;
  readonly droppedEvents: number;
}

/** Milliseconds between two looks whether the server has become ready. */
const READY_INTERVAL = 100;
const SELF_REVIEWS: KubeResource = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  namespaced: false,
  unnamed: true,
};

export async function openClusterDuties(options: ClusterDutiesOptions): Promise<ClusterDuties> {
  const { config, cluster, serving } = options;
  const { client, host: runtime, namespace, identity, resources } = cluster;
  const { registration, lease } = config.kubernetes;
  const authority = await openServingAuthority({ caFile: registration.caFile, serving, log: runtime.log });
  const events = createEventRecorder({
    client,
    runtime,
    controller: 'portcullis.dev/server',
    instance: identity,
  });
  let ownUser: string | undefined;
  const stopping = new AbortController();
  const { signal } = stopping;

  const statuses = createStatusWriter({ client, runtime, subjects });
  const registrar = registration.enabled
    ? createRegistrar({
        client,
        runtime,
        reflect: cluster.reflect,
        namespace,
        name: registration.name,
        describe: () => describeRegistration(options.policies(), registrationOptions()),
        ready,
        recordEvent: (event) => events.record(event),
      })
    : undefined;
  const election = createLeaderElection({
    client,
    runtime,
    namespace,
    name: lease,
    identity,
    onAcquired() {
      statuses.start();
      registrar?.start();
    },
    onLost() {
      statuses.stop();
      void registrar?.stop();
    },
  });

  function* subjects(): Generator<StatusSubject> {
    const exceptions = new Map(
      options.loader.exceptions(runtime.clock.wall()).map((status) => [status.name, status]),
    );
    for (const kept of resources?.objects() ?? []) {
      const wanted =
        kept.resource.document === 'PolicyException'
          ? describeKnown((name) => exceptions.get(name), kept, describeExceptionStatus)
          : describeKnown(options.status, kept, describePolicyStatus);
      if (wanted === undefined) continue;
      const { namespace: own, status: current } = kept;
      yield { resource: kubeResourceOf(kept.resource), name: kept.name, namespace: own, current, wanted };
    }
  }

  function registrationOptions(): RegistrationOptions {
    const { url, service, name, exemptNamespaces, timeout } = registration;
    return {
      endpoint: url === undefined ? { service: { namespace, ...withoutUndefined(service) } } : { url },
      name,
      caBundle: authority.pem(),
      ownNamespace: namespace,
      exemptNamespaces: [...new Set([...exemptNamespaces, namespace])],
      maxTimeoutSeconds: Math.ceil(timeout / 1000),
      ...(ownUser === undefined ? {} : { ownUser }),
    };
  }

  /** Nothing is registered before we could answer, and before we know which requests are our own. */
  async function ready(): Promise<void> {
    ownUser ??= await askOwnUser(cluster);
    while (!options.isReady() && !signal.aborted) await pause(runtime, READY_INTERVAL, signal);
    // Who is stopping registers nothing any more.
    if (signal.aborted) await Promise.withResolvers<void>().promise;
  }

  return {
    start() {
      authority.watch(() => registrar?.refresh());
      election.start();
    },
    async stop() {
      stopping.abort();
      authority.stop();
      await election.stop();
      await events.stop();
    },
    reloaded({ changed, problems }) {
      statuses.refresh();
      if (changed) registrar?.refresh();
      if (!election.leading()) return;
      for (const { origin, fault } of problems) {
        const regarding = subjectOf(origin, cluster);
        if (regarding === undefined) continue;
        const note = `${fault.code}: ${fault.message}`;
        events.record({ regarding, type: 'Warning', reason: 'DocumentRefused', action: 'Load', note });
      }
    },
    state: () => ({
      leading: election.leading(),
      leader: election.holder(),
      registration: registrar?.state(),
      statusFailures: statuses.failures,
      droppedEvents: events.dropped(),
    }),
  };
}

/** Undefined for what the loader has not heard of yet. What was refused because of its name is listed under another one. */
function describeKnown<S extends { readonly origin: string }>(
  statusOf: (name: string) => S | undefined,
  { name: objectName, reading, generation }: KeptResource,
  describe: (status: S, generation: number) => StatusSubject['wanted'],
): StatusSubject['wanted'] | undefined {
  const { container, name = objectName } = reading;
  const status = [name, nameOfRefused(name, container)]
    .map(statusOf)
    .find((known) => known?.origin === container);
  return status === undefined ? undefined : describe(status, generation);
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

/** Undefined when the API server does not say: then nothing is excepted for it. */
async function askOwnUser({ client, host }: Cluster): Promise<string | undefined> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const answer = await client.create({ resource: SELF_REVIEWS }, body);
  if (isFault(answer)) {
    host.log.log('warn', 'the API server does not say who we are', {
      code: answer.code,
      reason: answer.message,
    });
    return undefined;
  }
  const { status } = answer;
  const user = isRecord(status) ? status['userInfo'] : undefined;
  return isRecord(user) && typeof user['username'] === 'string' ? user['username'] : undefined;
}

/** The object behind the container of a document: `policies.portcullis.dev/name`, `ConfigMap/namespace/name`. */
function subjectOf(origin: string, { resources }: Cluster): EventSubject | undefined {
  for (const { reading, resource, name, namespace, uid } of resources?.objects() ?? []) {
    if (reading.container !== origin) continue;
    return { apiVersion: 'portcullis.dev/v1', kind: resource.kind, name, namespace, uid };
  }
  const [kind = '', namespace = '', name] = origin.split('/');
  if (name === undefined || !['ConfigMap', 'Secret'].includes(kind)) return undefined;
  return { apiVersion: 'v1', kind, name, namespace };
}

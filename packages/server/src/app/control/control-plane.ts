import type { ExceptionStatus } from '@portcullis/contract';
import type { Clock, Logger } from '../../kernel/ports.ts';
import type { ReflectorState } from '../../kube/reflector/reflector-types.ts';
import type { ControlPlane, KubernetesStatus } from '../../manage/control-plane.ts';
import type { ClusterReading, ServerReading } from '../../telemetry/metrics/server-reading.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Config } from '../config/config.ts';
import { redactConfig } from '../config/redact-config.ts';
import type { Certificates } from '../open-certificates.ts';
import type { ThreadPool } from '../threads/thread-pool.ts';
import type { DutiesState } from '../kube/cluster-duties.ts';
import type { Cluster } from '../kube/open-cluster.ts';
import { VERSION } from '../version.ts';
import type { PolicyControl } from './policy-control.ts';
import { readinessOf } from './readiness.ts';

export interface ControlPlaneOptions {
  readonly config: Config;
  readonly pool: ThreadPool;
  readonly policies: PolicyControl;
  readonly certificates: Certificates;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly draining: () => boolean;
  readonly cluster: Cluster | undefined;
  /** Undefined before they began, and without a cluster. */
  readonly duties: () => DutiesState | undefined;
  /** What is followed in the cluster for policies that ask. */
  readonly reads: () => ReadonlyMap<string, ReflectorState>;
  /** Undefined when modules are not kept on disk. */
  readonly moduleCache: () => ServerReading['moduleCache'];
  readonly exceptions: () => readonly ExceptionStatus[];
}

/** The server as the management API sees it. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { config, pool, policies, telemetry, clock, log, startedAt, cluster } = options;
  const { serving, management } = options.certificates;
  const certificates = [serving, management].filter((keeper) => keeper !== undefined);
  /** What only policies ask for does not make us unready; but whoever looks sees how old it is. */
  const watches = (of: Cluster): Watches => [
    ...of.states(),
    ...Array.from(options.reads(), ([name, state]) => [`${name} for policies`, state] as const),
  ];
  return {
    policies: () => policies.views(),
    policy: (name) => policies.view(name),
    put: (policy) => policies.put(policy),
    remove: (name) => policies.remove(name),
    decisions: (filter) => telemetry.decisions(filter),
    configuration: () => redactConfig(config),
    readiness: () =>
      readinessOf({
        draining: options.draining(),
        built: policies.revision,
        threads: pool.state(),
        certificates,
        cluster: cluster?.states(),
        now: clock.wall(),
      }),
    exceptions: options.exceptions,
    status() {
      const { alive, replaced, revision } = pool.state();
      const { lastReload } = policies;
      return {
        version: VERSION,
        startedAt,
        revision: { built: policies.revision, inForce: revision },
        threads: { alive, replaced },
        ...(lastReload === undefined ? {} : { lastReload }),
        certificates: certificates.map((certificate) => ({
          name: certificate.name,
          notAfter: certificate.notAfter(),
        })),
        ...(cluster === undefined
          ? {}
          : { kubernetes: clusterStatus(cluster, watches(cluster), options.duties()) }),
      };
    },
    metrics() {
      const { lastReload } = policies;
      const moduleCache = options.moduleCache();
      return telemetry.metrics({
        policies: policies.views().map(({ status }) => status),
        built: policies.revision,
        threads: pool.state(),
        reloadFailures: policies.failures,
        ...(lastReload === undefined ? {} : { lastReload: lastReload.time }),
        certificates: certificates.map((certificate) => ({
          name: certificate.name,
          notAfter: certificate.notAfter(),
          ...certificate.reloads(),
        })),
        exceptions: options.exceptions().map(({ state }) => state),
        ...(moduleCache === undefined ? {} : { moduleCache }),
        ...(cluster === undefined ? {} : { cluster: clusterReading(watches(cluster), options.duties()) }),
      });
    },
    // The key is not `token`, whose value the log would hide: it is the token's name.
    audit: ({ action, name, token, result }) => log.log('info', 'audit', { action, name, by: token, result }),
  };
}

type Watches = readonly (readonly [name: string, state: ReflectorState])[];

function clusterStatus(
  cluster: Cluster,
  watches: Watches,
  duties: DutiesState | undefined,
): KubernetesStatus {
  const { registration } = duties ?? {};
  return {
    server: cluster.client.server,
    identity: cluster.identity,
    ...(duties?.leader === undefined ? {} : { leader: duties.leader }),
    watches: watches.map(([name, state]) => ({
      name,
      phase: state.phase,
      synced: state.synced,
      items: state.items,
      ...(state.staleness === undefined ? {} : { stalenessMs: Math.round(state.staleness) }),
      ...(state.problem === undefined ? {} : { problem: state.problem.message }),
    })),
    ...(registration === undefined
      ? {}
      : {
          registration: {
            state: registration.state,
            repairs: registration.repairs,
            notes: registration.notes,
            ...(registration.lastProblem === undefined ? {} : { problem: registration.lastProblem.message }),
          },
        }),
  };
}

function clusterReading(watches: Watches, duties: DutiesState | undefined): ClusterReading {
  return {
    leading: duties?.leading ?? false,
    watches: watches.map(([name, { synced, items, staleness, restarts }]) => ({
      name,
      synced,
      items,
      staleness,
      restarts: Object.entries(restarts),
    })),
    registration: duties?.registration?.state,
    repairs: duties?.registration?.repairs ?? 0,
    statusFailures: duties?.statusFailures ?? 0,
    droppedEvents: duties?.droppedEvents ?? 0,
  };
}

import type { Clock, Logger } from '../../kernel/ports.ts';
import type { ControlPlane } from '../../manage/control-plane.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Config } from '../config/config.ts';
import { redactConfig } from '../config/redact-config.ts';
import type { Certificates } from '../open-certificates.ts';
import type { ThreadPool } from '../threads/thread-pool.ts';
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
}

/** The server as the management API sees it. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { config, pool, policies, telemetry, clock, log, startedAt } = options;
  const { serving, management } = options.certificates;
  const certificates = [serving, ...(management === undefined ? [] : [management])];
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
        now: clock.wall(),
      }),
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
      };
    },
    metrics() {
      const { lastReload } = policies;
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
      });
    },
    // The key is not `token`, whose value the log would hide: it is the token's name.
    audit: ({ action, name, token, result }) => log.log('info', 'audit', { action, name, by: token, result }),
  };
}

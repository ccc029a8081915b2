import type { DecisionRecord, PolicyStatus } from '@portcullis/contract';
import type { Clock, Logger } from '../kernel/ports.ts';
import type { DecisionFilter } from '../manage/control-plane.ts';
import type { RegistryObserver } from '../oci/registry-observer.ts';
import { createDecisionLog } from './decision-log.ts';
import { logDecision } from './log/decision-line.ts';
import { createAccumulation, mergeAccumulation } from './metrics/accumulation.ts';
import { createMetricsRegistry } from './metrics/metrics-registry.ts';
import type { ServerReading } from './metrics/server-reading.ts';
import { createRegistryCounts } from './registry-counts.ts';
import type { TelemetryBatch } from './telemetry-batch.ts';
import type { DecisionTracer } from './traces/decision-tracer.ts';

export interface TelemetryOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  /** Decisions that are kept in memory. */
  readonly capacity: number;
  readonly tracer?: DecisionTracer;
  /** Adds the client library's figures of the process. */
  readonly processMetrics?: boolean;
}

/** The half of telemetry on the control thread: it owns the sinks. */
export interface Telemetry {
  /** Hears of requests to registries. */
  readonly registries: RegistryObserver;
  absorb(batch: TelemetryBatch): void;
  /** Prometheus text format. Policies that are not in the reading are forgotten. */
  metrics(reading: ServerReading): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Newest first. */
  decisions(filter: DecisionFilter): readonly DecisionRecord[];
  lastFaults(policy: string): PolicyStatus['lastFaults'];
  /** Forgets everything about policies that are not among these; for a server that nobody scrapes. */
  retain(policies: Iterable<string>): void;
  /** Sends spans that are still waiting. */
  close(): Promise<void>;
}

/** A busy thread reports four times a second; one that has been silent for this long is dead or idle. Milliseconds. */
const STALE = 5000;

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { clock, log, tracer, version } = options;
  const registry = createMetricsRegistry({ processMetrics: options.processMetrics ?? false });
  const decisions = createDecisionLog(options.capacity);
  const totals = createAccumulation();
  const registries = createRegistryCounts();
  const busy = new Map<number, { readonly inFlight: number; readonly at: number }>();
  let recordsDropped = 0;

  function inFlight(): number {
    let sum = 0;
    for (const [thread, seen] of busy) {
      if (clock.now() - seen.at > STALE) busy.delete(thread);
      else sum += seen.inFlight;
    }
    return sum;
  }

  function retain(policies: Iterable<string>): void {
    const names = new Set(policies);
    for (const policy of totals.policies.keys()) if (!names.has(policy)) totals.policies.delete(policy);
    decisions.retain(names);
  }

  return {
    registries,
    absorb(batch) {
      mergeAccumulation(totals, batch.counted);
      recordsDropped += batch.recordsDropped;
      busy.set(batch.thread, { inFlight: batch.inFlight, at: clock.now() });
      for (const record of batch.records) {
        decisions.add(record);
        logDecision(log, record);
        tracer?.trace(record);
      }
    },
    metrics(reading) {
      retain(reading.policies.map(({ name }) => name));
      const { calls } = registries;
      return registry.render({
        totals,
        registries: calls,
        reading,
        version,
        inFlight: inFlight(),
        recordsDropped,
      });
    },
    decisions: (filter) => decisions.find(filter),
    lastFaults: (policy) => decisions.lastFaults(policy),
    retain,
    close: async () => tracer?.close(),
  };
}

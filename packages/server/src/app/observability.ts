import type { Clock, Logger } from '../kernel/ports.ts';
import {
  createManagementApi,
  MANAGEMENT_LIMITS,
  type ManagementApi,
  type ManagementApiOptions,
} from '../manage/management-api.ts';
import { createLogger } from '../telemetry/log/logger.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { createDecisionTracer } from '../telemetry/traces/decision-tracer.ts';
import type { Config } from './config/config.ts';
import { VERSION } from './version.ts';

/** The log on standard error. */
export function createServerLog({ log }: Config, clock: Clock): Logger {
  return createLogger({ ...log, clock, destination: process.stderr });
}

/** Metrics, decision log and, where a receiver is configured, spans. */
export function createServerTelemetry(
  { decisions, telemetry }: Config,
  clock: Clock,
  log: Logger,
): Telemetry {
  const { endpoint, headers, sampleRatio } = telemetry.otlp;
  return createTelemetry({
    clock,
    log,
    version: VERSION,
    capacity: decisions.capacity,
    processMetrics: true,
    ...(endpoint === undefined
      ? {}
      : { tracer: createDecisionTracer({ endpoint, headers, sampleRatio, version: VERSION, log }) }),
  });
}

/** The management API. An inline module may be as large as any other, and base64 makes it a third longer. */
export function createApi(
  { management, sources }: Config,
  parts: Pick<ManagementApiOptions, 'control' | 'tokens' | 'clock' | 'log'>,
): ManagementApi {
  const module = Math.ceil(sources.maxModuleBytes * (4 / 3)) + MANAGEMENT_LIMITS.document;
  return createManagementApi({
    ...parts,
    version: VERSION,
    metricsOpen: management.metricsOpen,
    limits: { document: module, module },
  });
}

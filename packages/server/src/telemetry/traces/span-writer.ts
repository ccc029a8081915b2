import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import type { Contribution, DecisionRecord } from '@portcullis/contract';
import type { Logger } from '../../kernel/ports.ts';
import { isAccessGate } from '../../policy/access-gate.ts';
import { reportFailures } from './report-failures.ts';
import { parseTraceParent } from './trace-parent.ts';

export interface SpanWriterOptions {
  /** OTLP/HTTP receiver. A bare origin means its `/v1/traces`. */
  readonly endpoint: string;
  /** Such as the receiver's token. */
  readonly headers: Readonly<Record<string, string>>;
  /** Share of the traces that begin here; a caller's own decision goes before it. */
  readonly sampleRatio: number;
  readonly version: string;
  readonly log: Logger;
  /** Instead of OTLP/HTTP. */
  readonly exporter?: SpanExporter;
}

export interface SpanWriter {
  write(record: DecisionRecord): void;
  close(): Promise<void>;
}

export function createSpanWriter(options: SpanWriterOptions): SpanWriter {
  const { endpoint, headers, sampleRatio, version, log } = options;
  const exporter =
    options.exporter ?? new OTLPTraceExporter({ url: tracesUrl(endpoint), headers: { ...headers } });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'portcullis', 'service.version': version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter: reportFailures(exporter, log) })],
  });
  const tracer = provider.getTracer('portcullis', version);

  function write(record: DecisionRecord): void {
    const end = record.time;
    const start = end - record.durationMs;
    const span = tracer.startSpan(
      `${record.gate} ${record.phase}`,
      { kind: SpanKind.SERVER, startTime: start, attributes: attributesOf(record) },
      parentOf(record),
    );
    if (record.outcome === 'unknown') span.setStatus({ code: SpanStatusCode.ERROR });
    const inside = trace.setSpan(ROOT_CONTEXT, span);
    let from = start;
    for (const contribution of record.contributions) {
      const { policy, outcome, durationMs } = contribution;
      const child = tracer.startSpan(
        `policy ${policy}`,
        { startTime: from, attributes: policyAttributes(contribution) },
        inside,
      );
      if (outcome === 'fault') child.setStatus({ code: SpanStatusCode.ERROR });
      child.end(from + durationMs);
      // Validating policies run together, all others one after another.
      if (record.phase === 'mutate' || isAccessGate(record.gate)) from += durationMs;
    }
    span.end(end);
  }

  return { write, close: () => provider.shutdown() };
}

function parentOf({ traceParent }: DecisionRecord): Context {
  const parent = parseTraceParent(traceParent);
  return parent === undefined
    ? ROOT_CONTEXT
    : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
}

/** Texts of policies stay out: they may quote the object. */
function attributesOf(record: DecisionRecord): Attributes {
  return {
    'portcullis.gate': record.gate,
    'portcullis.phase': record.phase,
    'portcullis.uid': record.uid,
    'portcullis.operation': record.operation,
    'portcullis.kind': record.kind.kind,
    'portcullis.namespace': record.namespace,
    'portcullis.name': record.name,
    ...(record.verb === undefined ? {} : { 'portcullis.verb': record.verb }),
    ...(record.path === undefined ? {} : { 'portcullis.path': record.path }),
    'portcullis.dry_run': record.dryRun,
    'portcullis.outcome': record.outcome,
    'portcullis.patched': record.patched,
    'portcullis.revision': record.revision,
  };
}

function policyAttributes(contribution: Contribution): Attributes {
  const { policy, outcome, mode, fault, fuel, memoryBytes } = contribution;
  return {
    'portcullis.policy': policy,
    'portcullis.outcome': outcome,
    'portcullis.mode': mode,
    'portcullis.fuel': fuel,
    'portcullis.memory_bytes': memoryBytes,
    ...(fault === undefined ? {} : { 'portcullis.fault': fault }),
  };
}

/** As OTEL_EXPORTER_OTLP_ENDPOINT has it for an address without a path. */
function tracesUrl(endpoint: string): string {
  const url = new URL(endpoint);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url.href;
}

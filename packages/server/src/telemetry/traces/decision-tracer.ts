import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { DecisionRecord } from '@portcullis/contract';
import type { Logger } from '../../kernel/ports.ts';
import type { SpanWriter } from './span-writer.ts';

export interface DecisionTracerOptions {
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

/** Makes spans of decisions and sends them on. */
export interface DecisionTracer {
  trace(record: DecisionRecord): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

/** OpenTelemetry is loaded only here, so that a server without tracing does without it. */
export function createDecisionTracer(options: DecisionTracerOptions): DecisionTracer {
  const writer: Promise<SpanWriter | undefined> = import('./span-writer.ts')
    .then(({ createSpanWriter }) => createSpanWriter(options))
    .catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      options.log.log('error', 'no traces: OpenTelemetry cannot be loaded', { reason });
      return undefined;
    });
  return {
    trace: (record) => void writer.then((ready) => ready?.write(record)),
    async close() {
      await (await writer)?.close();
    },
  };
}

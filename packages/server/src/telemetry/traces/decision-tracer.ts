import type { DecisionRecord } from '@portcullis/contract';
import type { Logger } from '../../kernel/ports.ts';
import type { SpanWriter, SpanWriterOptions } from './span-writer.ts';

export interface DecisionTracerOptions extends SpanWriterOptions {
  readonly log: Logger;
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

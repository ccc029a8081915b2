import type { DecisionRecord } from '@portcullis/contract';
import type { SpanWriter, SpanWriterOptions } from './span-writer.ts';

export interface DecisionTracerOptions extends SpanWriterOptions {
  /** Milliseconds that {@link DecisionTracer.close} may take. */
  readonly closeTimeout?: number;
}

/** Makes spans of decisions and sends them on. */
export interface DecisionTracer {
  trace(record: DecisionRecord): void;
  /** Sends what is left, as far as the receiver takes it in time. Never rejects: a dead receiver is no reason to fail. */
  close(): Promise<void>;
}

/** The exporter alone would try for ten seconds, and the server has more to do before it is killed. */
const CLOSE_TIMEOUT = 3000;

/** OpenTelemetry is loaded only here, so that a server without tracing does without it. */
export function createDecisionTracer(options: DecisionTracerOptions): DecisionTracer {
  const { log, closeTimeout = CLOSE_TIMEOUT } = options;
  const writer: Promise<SpanWriter | undefined> = import('./span-writer.ts')
    .then(({ createSpanWriter }) => createSpanWriter(options))
    .catch((error: unknown) => {
      log.log('error', 'no traces: OpenTelemetry cannot be started', { reason: reasonOf(error) });
      return undefined;
    });
  return {
    trace: (record) => void writer.then((ready) => ready?.write(record)),
    async close() {
      const late = Promise.withResolvers<string>();
      const timer = setTimeout(() => late.resolve('no answer in time'), closeTimeout);
      const closed = writer.then((ready) => ready?.close()).then(() => undefined, reasonOf);
      const reason = await Promise.race([closed, late.promise]);
      clearTimeout(timer);
      if (reason !== undefined) log.log('warn', 'the last spans were not sent', { reason });
    },
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

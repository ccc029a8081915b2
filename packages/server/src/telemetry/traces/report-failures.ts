import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '../../kernel/ports.ts';

/** `ExportResultCode.SUCCESS`; its package is no dependency of ours. */
const SUCCESS = 0;

/** The exporter, with a log line when sending begins to fail and one when it works again. */
export function reportFailures(exporter: SpanExporter, log: Logger): SpanExporter {
  let failing = false;

  function heard(failed: boolean, reason: string): void {
    if (failed === failing) return;
    failing = failed;
    if (failed) log.log('warn', 'spans are lost: the receiver does not take them', { reason });
    else log.log('info', 'the receiver takes spans again');
  }

  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        heard((result.code as number) !== SUCCESS, result.error?.message ?? 'unknown');
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}

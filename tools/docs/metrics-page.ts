import { METRICS } from '../../packages/server/src/telemetry/metrics/metric-definitions.ts';
import { code, generated, table } from './markdown.ts';

export function metricsPage(): string {
  const intro =
    'What `GET /metrics` of the management API serves, besides the metrics of the process. Names of users and objects are never labels.';
  const rows = Object.values(METRICS).map(({ name, type, labels, help }) => [
    code(name),
    type,
    labels.map((label) => code(label)).join(', '),
    help,
  ]);
  return `${generated('Metrics', intro)}\n${table(['metric', 'type', 'labels', 'meaning'], rows)}\n`;
}

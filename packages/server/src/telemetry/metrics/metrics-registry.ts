import type { Metric, Registry } from '@prometheus-io/client';
import type { HistogramMetric, MetricDefinition, MetricsView } from './metric-definition.ts';
import { METRICS } from './metric-definitions.ts';
import type { HistogramCells } from './histogram.ts';

export interface MetricsRegistry {
  /** Prometheus text format. */
  render(view: MetricsView): Promise<{ readonly contentType: string; readonly text: string }>;
}

/**
 * `processMetrics` adds what the client library knows of the process: memory, CPU time, event loop, garbage collection. The library
 * is loaded when it is first asked: with what it imports it is a seventh of all modules that a server would start with.
 */
export function createMetricsRegistry(options: { readonly processMetrics: boolean }): MetricsRegistry {
  let view: MetricsView | undefined;
  let opened: Promise<Registry> | undefined;

  async function open(): Promise<Registry> {
    const { collectDefaultMetrics, Registry } = await import('@prometheus-io/client');
    const registry = new Registry();
    if (options.processMetrics) collectDefaultMetrics({ register: registry });
    for (const definition of METRICS) {
      const { name, help, type } = definition;
      const values = (): readonly ExposedValue[] => (view === undefined ? [] : valuesOf(definition, view));
      // The library's own histograms take single observations only; its registry asks a metric for nothing but these.
      const metric = {
        name,
        help,
        type,
        aggregator: 'sum',
        get: () => ({ name, help, type, values: values() }),
      };
      registry.registerMetric(metric as unknown as Metric);
    }
    return registry;
  }

  return {
    async render(newest) {
      opened ??= open();
      const registry = await opened;
      view = newest;
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

/** One line of the exposition, as the library's registry takes it. */
interface ExposedValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

function valuesOf(definition: MetricDefinition, view: MetricsView): readonly ExposedValue[] {
  const named = (values: readonly string[]): Record<string, string> => {
    if (values.length !== definition.labels.length)
      throw new TypeError(`metric ${definition.name} got ${values.length} label values`);
    return Object.fromEntries(definition.labels.map((label, index) => [label, values[index] ?? '']));
  };
  if (definition.type === 'histogram') {
    return [...definition.read(view)].flatMap(([labels, cells]) =>
      histogramLines(definition, named(labels), cells),
    );
  }
  return [...definition.read(view)].map(([labels, value]) => ({ labels: named(labels), value }));
}

function histogramLines(
  { name, bounds }: HistogramMetric,
  labels: Readonly<Record<string, string>>,
  { counts, sum }: HistogramCells,
): readonly ExposedValue[] {
  let count = 0;
  const buckets = counts.map((inBucket, index) => {
    count += inBucket;
    const le = bounds[index] ?? '+Inf';
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

import type { Accumulation } from './accumulation.ts';
import type { Calls } from './calls.ts';
import type { HistogramCells } from './histogram.ts';
import type { ServerReading } from './server-reading.ts';

/** One row of the table of metrics. */
export type MetricDefinition = NumberMetric | HistogramMetric;

interface MetricHead {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

export interface NumberMetric extends MetricHead {
  readonly type: 'counter' | 'gauge';
  /** Label values in the order of `labels`, and the value. */
  readonly read: (view: MetricsView) => Iterable<Sample<number>>;
}

export interface HistogramMetric extends MetricHead {
  readonly type: 'histogram';
  readonly bounds: readonly number[];
  readonly read: (view: MetricsView) => Iterable<Sample<HistogramCells>>;
}

export type Sample<T> = readonly [labels: readonly string[], value: T];

/** What the values of one scrape are read from. */
export interface MetricsView {
  readonly totals: Accumulation;
  /** By host. */
  readonly registries: Calls;
  readonly reading: ServerReading;
  readonly version: string;
  readonly inFlight: number;
  readonly recordsDropped: number;
}

type NumberRow = Pick<NumberMetric, 'labels' | 'read'>;

export function counter(name: string, help: string, row: NumberRow): NumberMetric {
  return { name, type: 'counter', help, ...row };
}

export function gauge(name: string, help: string, row: NumberRow): NumberMetric {
  return { name, type: 'gauge', help, ...row };
}

/** Seconds: from a hot Wasm policy (some ten microseconds) to the longest timeout of a webhook (30 s). */
export const DURATION_BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Units of fuel; the default limit is 10 million. */
export const FUEL_BOUNDS: readonly number[] = [1e3, 1e4, 1e5, 5e5, 1e6, 2.5e6, 5e6, 1e7, 5e7, 1e8, 1e9];

/** Observations by bucket. Structured-cloneable. */
export interface HistogramCells {
  /** One count per bound, not cumulated, and a last one for what is above all bounds. */
  readonly counts: number[];
  sum: number;
}

export function createHistogramCells(bounds: readonly number[]): HistogramCells {
  return { counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 };
}

export function observe(cells: HistogramCells, bounds: readonly number[], value: number): void {
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
  cells.counts[bucket] = (cells.counts[bucket] ?? 0) + 1;
  cells.sum += value;
}

export function addCells(total: HistogramCells, delta: HistogramCells): void {
  for (const [bucket, count] of delta.counts.entries()) {
    total.counts[bucket] = (total.counts[bucket] ?? 0) + count;
  }
  total.sum += delta.sum;
}

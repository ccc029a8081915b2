import {
  addCells,
  createHistogramCells,
  DURATION_BOUNDS,
  observe,
  type HistogramCells,
} from './histogram.ts';

/** Calls to something outside, by whom or what was called. Structured-cloneable; keys are from closed or bounded sets. */
export type Calls = Map<string, CallCells>;

export interface CallCells {
  /** By outcome. */
  readonly outcomes: Map<string, number>;
  /** Seconds, of those that took time. */
  readonly durations: HistogramCells;
}

/** `durationMs` is absent for what was refused before it was asked. */
export function countCall(into: Calls, key: string, outcome: string, durationMs?: number): void {
  const { outcomes, durations } = cellsOf(into, key);
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  if (durationMs !== undefined) observe(durations, DURATION_BOUNDS, durationMs / 1000);
}

export function mergeCalls(total: Calls, delta: Calls): void {
  for (const [key, { outcomes, durations }] of delta) {
    const known = cellsOf(total, key);
    for (const [outcome, count] of outcomes) {
      known.outcomes.set(outcome, (known.outcomes.get(outcome) ?? 0) + count);
    }
    addCells(known.durations, durations);
  }
}

function cellsOf(into: Calls, key: string): CallCells {
  let cells = into.get(key);
  if (cells === undefined) {
    cells = { outcomes: new Map(), durations: createHistogramCells(DURATION_BOUNDS) };
    into.set(key, cells);
  }
  return cells;
}

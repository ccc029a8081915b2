import type { DecisionRecord } from '@portcullis/contract';
import type { Accumulation } from './metrics/accumulation.ts';

/** What one gate thread has to tell since its last batch. Structured-cloneable. */
export interface TelemetryBatch {
  /** Tells the threads apart. */
  readonly thread: number;
  readonly counted: Accumulation;
  /** In the order in which they were decided. */
  readonly records: readonly DecisionRecord[];
  /** Decisions that are counted, but have no record here. */
  readonly recordsDropped: number;
  /** Requests under way in the thread now. */
  readonly inFlight: number;
}

import type { DecisionRecord, GateName } from '@portcullis/contract';
import type { FaultCode } from '../kernel/fault.ts';

/** Hears of everything that a gate answers; telemetry implements it. */
export interface Observer {
  decided(record: DecisionRecord): void;
  /** A request that never became a review. */
  refused(gate: GateName, code: FaultCode): void;
}

import type { DecisionRecord } from '@portcullis/contract';
import type { Observer } from '../chain/observer.ts';
import type { HostCallObserver } from '../engines/observe-capabilities.ts';
import { isNotable, trimRecord } from './decision-record.ts';
import { countDecision, countRefusal, createAccumulation, isEmpty } from './metrics/accumulation.ts';
import { countCall } from './metrics/calls.ts';
import { Ring } from './ring.ts';
import type { TelemetryBatch } from './telemetry-batch.ts';

export interface GateTelemetryOptions {
  /** Tells the threads apart. */
  readonly thread?: number;
  /** Records in one batch, at most. Denials and faults come before allows, and newer before older. */
  readonly ringCapacity?: number;
  /** Requests that the thread is busy with. */
  readonly inFlight?: () => number;
}

/** The half of telemetry on a gate thread: it counts, and hands over what it has counted. */
export interface GateTelemetry extends Observer, HostCallObserver {
  /** Everything since the last call; undefined when there is nothing to tell. */
  drain(): TelemetryBatch | undefined;
}

/** At four batches a second, about a thousand records per second and thread. */
const RING_CAPACITY = 256;

export function createGateTelemetry(options: GateTelemetryOptions = {}): GateTelemetry {
  const { thread = 0, ringCapacity = RING_CAPACITY, inFlight = () => 0 } = options;
  const notable = new Ring<DecisionRecord>(ringCapacity);
  const ordinary = new Ring<DecisionRecord>(ringCapacity);
  let counted = createAccumulation();
  let decided = 0;
  let lastInFlight = 0;

  /** Oldest first: `time` is the order of the decisions, and sorting is stable. */
  function takeRecords(): readonly DecisionRecord[] {
    const kept = notable.items();
    const room = ringCapacity - kept.length;
    const records = room === 0 ? kept : [...kept, ...ordinary.items().slice(-room)];
    notable.clear();
    ordinary.clear();
    return records.sort((a, b) => a.time - b.time).map(trimRecord);
  }

  return {
    decided(record) {
      decided += 1;
      countDecision(counted, record);
      (isNotable(record) ? notable : ordinary).push(record);
    },
    refused: (gate, code) => countRefusal(counted, gate, code),
    hostCalled: (capability, outcome, durationMs) =>
      countCall(counted.hostCalls, capability, outcome, durationMs),
    drain() {
      const busy = inFlight();
      if (isEmpty(counted) && busy === 0 && lastInFlight === 0) return undefined;
      const records = takeRecords();
      const batch = { thread, counted, records, recordsDropped: decided - records.length, inFlight: busy };
      counted = createAccumulation();
      decided = 0;
      lastInFlight = busy;
      return batch;
    },
  };
}

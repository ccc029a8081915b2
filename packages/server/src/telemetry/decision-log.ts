import type { DecisionRecord, PolicyStatus } from '@portcullis/contract';
import type { DecisionFilter } from '../manage/control-plane.ts';
import { isNotable } from './decision-record.ts';
import { Ring } from './ring.ts';

type FaultNote = PolicyStatus['lastFaults'][number];

/** The newest decisions, and the newest faults of each policy. */
export interface DecisionLog {
  add(record: DecisionRecord): void;
  /** Newest first. */
  find(filter: DecisionFilter): readonly DecisionRecord[];
  lastFaults(policy: string): readonly FaultNote[];
  /** Forgets the faults of policies that are not among these. */
  retain(policies: ReadonlySet<string>): void;
}

const MAX_FAULTS = 10;

/** Half of the capacity is for denials and faults, so that a flood of allows does not wash them away. */
export function createDecisionLog(capacity: number): DecisionLog {
  const notable = new Ring<DecisionRecord>(Math.ceil(capacity / 2));
  const ordinary = new Ring<DecisionRecord>(Math.floor(capacity / 2));
  const faults = new Map<string, readonly FaultNote[]>();

  return {
    add(record) {
      (isNotable(record) ? notable : ordinary).push(record);
      for (const { policy, fault, message = '' } of record.contributions) {
        if (fault === undefined) continue;
        const note = { time: record.time, code: fault, message, uid: record.uid };
        faults.set(policy, [note, ...(faults.get(policy) ?? [])].slice(0, MAX_FAULTS));
      }
    },
    find(filter) {
      // Sorting is stable: turned round first, so that the later one of a millisecond is ahead.
      return [...notable.items(), ...ordinary.items()]
        .filter((record) => isWanted(record, filter))
        .toReversed()
        .sort((a, b) => b.time - a.time)
        .slice(0, filter.limit);
    },
    lastFaults: (policy) => faults.get(policy) ?? [],
    retain(policies) {
      for (const policy of faults.keys()) if (!policies.has(policy)) faults.delete(policy);
    },
  };
}

function isWanted(record: DecisionRecord, filter: DecisionFilter): boolean {
  const { contributions } = record;
  return (
    (filter.outcome === undefined || record.outcome === filter.outcome) &&
    (filter.namespace === undefined || record.namespace === filter.namespace) &&
    (filter.uid === undefined || record.uid === filter.uid) &&
    (filter.since === undefined || record.time >= filter.since) &&
    (filter.policy === undefined || contributions.some(({ policy }) => policy === filter.policy)) &&
    (filter.faulted === undefined ||
      contributions.some(({ outcome }) => outcome === 'fault') === filter.faulted)
  );
}

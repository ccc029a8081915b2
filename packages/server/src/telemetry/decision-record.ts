import type { Contribution, DecisionRecord } from '@portcullis/contract';
import { cut } from './cut.ts';

/** Characters of a name, uid or user; Kubernetes allows 253 for a name. */
const MAX_NAME = 512;
const MAX_ANNOTATIONS = 64;

/** A record worth keeping when not all can be: anything but a plain allow. */
export function isNotable(record: DecisionRecord): boolean {
  if (record.outcome !== 'allow') return true;
  for (const { outcome } of record.contributions) if (outcome === 'fault') return true;
  return false;
}

/** The record with every text cut to a length that a thousand of them can have: a policy may say megabytes. */
export function trimRecord(record: DecisionRecord): DecisionRecord {
  const annotations = Object.entries(record.auditAnnotations).slice(0, MAX_ANNOTATIONS);
  return {
    ...record,
    uid: cut(record.uid, MAX_NAME),
    namespace: cut(record.namespace, MAX_NAME),
    name: cut(record.name, MAX_NAME),
    user: cut(record.user, MAX_NAME),
    ...(record.message === undefined ? {} : { message: cut(record.message) }),
    auditAnnotations: Object.fromEntries(annotations.map(([key, value]) => [cut(key, MAX_NAME), cut(value)])),
    contributions: record.contributions.map(trimContribution),
  };
}

function trimContribution(contribution: Contribution): Contribution {
  const { message } = contribution;
  return message === undefined ? contribution : { ...contribution, message: cut(message) };
}

import type { Contribution, DecisionRecord } from '@portcullis/contract';
import { cut } from './cut.ts';

/** Characters of a name, uid or user; Kubernetes allows 253 for a name. */
const MAX_NAME = 512;
const MAX_ANNOTATIONS = 64;

/** A record worth keeping when not all can be: anything but a plain allow, or nobody's having an opinion. */
export function isNotable(record: DecisionRecord): boolean {
  if (record.outcome !== 'allow' && record.outcome !== 'abstain') return true;
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
    ...(record.verb === undefined ? {} : { verb: cut(record.verb, MAX_NAME) }),
    ...(record.path === undefined ? {} : { path: cut(record.path, MAX_NAME) }),
    ...resourceOf(record),
    ...(record.message === undefined ? {} : { message: cut(record.message) }),
    auditAnnotations: Object.fromEntries(annotations.map(([key, value]) => [cut(key, MAX_NAME), cut(value)])),
    contributions: record.contributions.map(trimContribution),
  };
}

/** Elsewhere the API server has seen to its length; who asks what somebody may do can ask about anything. */
function resourceOf({ gate, resource, subresource }: DecisionRecord): Partial<DecisionRecord> {
  if (gate !== 'authorization') return {};
  const { group, version, resource: name } = resource;
  return {
    resource: { group: cut(group, MAX_NAME), version: cut(version, MAX_NAME), resource: cut(name, MAX_NAME) },
    subresource: cut(subresource, MAX_NAME),
  };
}

function trimContribution(contribution: Contribution): Contribution {
  const { message } = contribution;
  return message === undefined ? contribution : { ...contribution, message: cut(message) };
}

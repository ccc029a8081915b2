import type { DecisionRecord } from '@portcullis/contract';
import type { Logger, LogLevel } from '../../kernel/ports.ts';

/**
 * One line per decision: faults at `warn`, denials at `info`, allows at `debug`. Texts of policies stay out of it: they may
 * quote the object.
 */
export function logDecision(log: Logger, record: DecisionRecord): void {
  const faults = record.contributions.flatMap(({ policy, fault }) =>
    fault === undefined ? [] : [`${policy}: ${fault}`],
  );
  const level = levelOf(record, faults.length > 0);
  if (!log.enabled(level)) return;
  log.log(level, 'decision', {
    uid: record.uid,
    gate: record.gate,
    phase: record.phase,
    ...subjectOf(record),
    namespace: record.namespace,
    name: record.name,
    user: record.user,
    ...(record.dryRun ? { dryRun: true } : {}),
    outcome: record.outcome,
    policies: record.contributions.map(({ policy }) => policy),
    ...(faults.length > 0 ? { faults } : {}),
    durationMs: Math.round(record.durationMs * 1000) / 1000,
    revision: record.revision,
  });
}

/** Who is authenticated or authorised does not change anything: what is asked for tells more than that a review was made. */
function subjectOf({ gate, operation, kind, resource, verb, path }: DecisionRecord): Record<string, string> {
  if (gate === 'authentication') return {};
  if (gate !== 'authorization') return { operation, kind: kind.kind };
  return { verb: verb ?? '', ...(path === undefined ? { resource: resource.resource } : { path }) };
}

function levelOf(record: DecisionRecord, faulted: boolean): LogLevel {
  if (faulted || record.outcome === 'unknown') return 'warn';
  return record.outcome === 'deny' ? 'info' : 'debug';
}

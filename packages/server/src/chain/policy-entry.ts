import type { Policy, PolicyStatus } from '@portcullis/contract';
import type { Fault } from '../kernel/fault.ts';
import { compareOrder, type PreparedPolicy } from './policy-set.ts';

/** One policy as it stands: what is in force, and what is wrong with the newest document. */
export interface PolicyEntry {
  readonly name: string;
  readonly container: string;
  /** What the entry was made from: the same again cannot give another result. */
  readonly madeFrom?: { readonly document: Policy; readonly digest: string };
  readonly prepared?: PreparedPolicy;
  readonly digest?: string;
  readonly moduleBytes?: number;
  readonly problem?: Fault;
  readonly warnings: readonly string[];
}

/** The entries of one reload, as the next one looks things up in them. */
export interface EntryIndex {
  readonly all: readonly PolicyEntry[];
  readonly byDocument: ReadonlyMap<object, PolicyEntry>;
  readonly byFingerprint: ReadonlyMap<string, PolicyEntry>;
  /** Those in force. */
  readonly byName: ReadonlyMap<string, PolicyEntry>;
}

export function indexEntries(all: readonly PolicyEntry[]): EntryIndex {
  const byDocument = new Map<object, PolicyEntry>();
  const byFingerprint = new Map<string, PolicyEntry>();
  const byName = new Map<string, PolicyEntry>();
  for (const entry of all) {
    if (entry.madeFrom !== undefined) byDocument.set(entry.madeFrom.document, entry);
    if (entry.prepared === undefined) continue;
    byFingerprint.set(entry.prepared.fingerprint, entry);
    byName.set(entry.name, entry);
  }
  return { all, byDocument, byFingerprint, byName };
}

/** Whether both put the same policies in force. */
export function isSameSet(one: EntryIndex, other: EntryIndex): boolean {
  // A fingerprint covers the name.
  if (one.byFingerprint.size !== other.byFingerprint.size) return false;
  for (const fingerprint of one.byFingerprint.keys()) if (!other.byFingerprint.has(fingerprint)) return false;
  return true;
}

export function policiesInOrder(entries: readonly PolicyEntry[]): readonly PreparedPolicy[] {
  return entries.flatMap(({ prepared }) => (prepared === undefined ? [] : [prepared])).sort(compareOrder);
}

export function statusOf(entry: PolicyEntry): PolicyStatus {
  const { prepared, problem } = entry;
  const disabled = prepared?.policy.spec.enabled === false;
  return {
    name: entry.name,
    state: problem !== undefined ? 'refused' : disabled ? 'disabled' : 'loaded',
    lastGood: problem !== undefined && prepared !== undefined && prepared.unloadable === undefined,
    standsIn: prepared?.unloadable !== undefined,
    ...(prepared?.policy.byName === undefined ? {} : { named: true }),
    ...(problem === undefined ? {} : { problem: { code: problem.code, message: problem.message } }),
    warnings: entry.warnings,
    origin: entry.container,
    ...(prepared === undefined || prepared.programs.length === 0 ? {} : { engine: enginesOf(prepared) }),
    ...(entry.digest === undefined ? {} : { digest: entry.digest }),
    ...(entry.moduleBytes === undefined ? {} : { moduleBytes: entry.moduleBytes }),
    lastFaults: [],
  };
}

function enginesOf({ programs }: PreparedPolicy): string {
  return [...new Set(programs.map(({ engine }) => engine))].join(', ');
}

import type { Contribution, DecisionRecord } from '@portcullis/contract';

/** A decision of one validating policy, for tests that change a field or two. */
export function makeRecord(changes: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    time: 1_700_000_000_000,
    gate: 'admission',
    phase: 'validate',
    uid: 'uid-1',
    operation: 'CREATE',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    resource: { group: '', version: 'v1', resource: 'pods' },
    subresource: '',
    namespace: 'shop',
    name: 'web',
    user: 'ana',
    dryRun: false,
    outcome: 'allow',
    patched: false,
    warnings: 0,
    auditAnnotations: {},
    contributions: [makeContribution()],
    revision: 3,
    durationMs: 2,
    ...changes,
  };
}

export function makeContribution(changes: Partial<Contribution> = {}): Contribution {
  return {
    policy: 'registries',
    outcome: 'allow',
    mode: 'enforce',
    failurePolicy: 'Fail',
    durationMs: 1,
    fuel: 2000,
    memoryBytes: 65_536,
    ...changes,
  };
}

export function makeFault(changes: Partial<DecisionRecord> = {}): DecisionRecord {
  return makeRecord({
    outcome: 'deny',
    message: '[registries] Plugin execution error: out of fuel',
    contributions: [makeContribution({ outcome: 'fault', fault: 'PC_WASM_FUEL', message: 'out of fuel' })],
    ...changes,
  });
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DecisionRecord, ExceptionStatus, JsonObject, Policy, PolicyStatus } from '@portcullis/contract';
import { Fault } from '../../src/kernel/fault.ts';
import type {
  AuditEntry,
  ControlPlane,
  DecisionFilter,
  KubernetesStatus,
  PolicyView,
  Readiness,
} from '../../src/manage/control-plane.ts';

/** A control plane that keeps policies in memory and writes down what it was asked. */
export interface MemoryControlPlane extends ControlPlane {
  readonly calls: string[];
  readonly audited: AuditEntry[];
  readonly filters: DecisionFilter[];
  /** What `put` answers instead of doing it. */
  refuse: Fault | Error | undefined;
  ready: boolean;
  excepted: readonly ExceptionStatus[];
  kubernetes: KubernetesStatus | undefined;
  add(policy: Policy, status?: Partial<PolicyStatus>): void;
}

export function createMemoryControlPlane(records: readonly DecisionRecord[] = []): MemoryControlPlane {
  const policies = new Map<string, PolicyView>();
  const calls: string[] = [];
  const audited: AuditEntry[] = [];
  const filters: DecisionFilter[] = [];
  const called = <T>(name: string, value: T): T => {
    calls.push(name);
    return value;
  };
  const readiness = (): Readiness => ({
    ready: plane.ready,
    checks: [
      { name: 'policies', ok: true },
      plane.ready
        ? { name: 'certificate serving', ok: true }
        : { name: 'certificate serving', ok: false, message: 'it has expired' },
    ],
  });

  const plane: MemoryControlPlane = {
    calls,
    audited,
    filters,
    refuse: undefined,
    ready: true,
    excepted: [],
    kubernetes: undefined,
    add(policy, status = {}) {
      const { name } = policy.metadata;
      policies.set(name, { name, policy, status: { ...statusOf(policy), ...status } });
    },
    exceptions: () => called('exceptions', plane.excepted),
    policies: () =>
      called(
        'policies',
        [...policies.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
      ),
    policy: (name) => called('policy', policies.get(name)),
    async put(policy) {
      calls.push('put');
      // Others get their turn before anything has changed, as while a real set is built.
      await nextTurn();
      if (plane.refuse instanceof Fault) return plane.refuse;
      if (plane.refuse !== undefined) throw plane.refuse;
      const { name } = policy.metadata;
      const created = !policies.has(name);
      // As after a real store: what is kept comes from the API.
      plane.add({ ...policy, origin: { source: 'api', location: name } });
      const view = policies.get(name);
      if (view === undefined) throw new TypeError('it was just added');
      return { created, view };
    },
    async remove(name) {
      calls.push('remove');
      const source = policies.get(name)?.policy?.origin.source;
      if (source === undefined) return new Fault('PC_NOT_FOUND', `there is no policy \`${name}\``);
      if (source !== 'api') return new Fault('PC_CONFLICT', `the policy \`${name}\` comes from a file`);
      policies.delete(name);
      return undefined;
    },
    decisions(filter) {
      calls.push('decisions');
      filters.push(filter);
      return records.slice(0, filter.limit);
    },
    configuration: () => called('configuration', { log: { level: 'info' } } satisfies JsonObject),
    readiness: () => called('readiness', readiness()),
    status: () =>
      called('status', {
        version: '1.2.3',
        startedAt: 1,
        revision: { built: 2, inForce: 2 },
        threads: { alive: 2, replaced: 0 },
        lastReload: { time: 2, problems: ['a.yaml: broken'] },
        certificates: [{ name: 'serving', notAfter: 3 }],
        ...(plane.kubernetes === undefined ? {} : { kubernetes: plane.kubernetes }),
      }),
    metrics: async () => called('metrics', { contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
    audit: (entry) => void audited.push(entry),
  };
  return plane;
}

function statusOf({ metadata, spec, origin }: Policy): PolicyStatus {
  return {
    name: metadata.name,
    state: spec.enabled ? 'loaded' : 'disabled',
    lastGood: false,
    standsIn: false,
    warnings: [],
    origin: origin.location,
    engine: spec.engine ?? 'plugin',
    digest: 'a'.repeat(64),
    moduleBytes: 8,
    lastFaults: [],
  };
}

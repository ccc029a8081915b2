import type { Policy, PolicySpec } from '@portcullis/contract';

/** A policy with every default filled in, for tests that do not care about documents. */
export function makePolicy(name: string, spec: Partial<PolicySpec> = {}): Policy {
  return {
    metadata: { name, labels: {}, annotations: {} },
    origin: { source: 'file', location: `${name}.yaml` },
    spec: {
      gate: 'admission',
      phase: 'validate',
      order: 100,
      mode: 'enforce',
      failurePolicy: 'Fail',
      match: { operations: [], resources: [], namespaces: [], excludedNamespaces: [], conditions: [] },
      module: { inline: 'AGFzbQEAAAA=' },
      settings: {},
      limits: { timeoutMs: 1000, memoryBytes: 16 * 1024 * 1024, fuel: 10_000_000 },
      capabilities: [],
      enabled: true,
      ...spec,
    },
  };
}

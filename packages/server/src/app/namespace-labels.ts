import type { NamespaceAppears, NamespaceLabels } from '../kernel/ports.ts';

type Labels = Readonly<Record<string, string>>;

export type NamespaceTable = Readonly<Record<string, { readonly labels: Labels }>>;
/** Null: the namespace is no more. */
export type NamespaceChanges = Readonly<Record<string, { readonly labels: Labels } | null>>;

/** What one gate thread knows of namespaces. */
export interface KnownNamespaces {
  readonly labelsOf: NamespaceLabels;
  readonly appears: NamespaceAppears;
  update(changes: NamespaceChanges): void;
}

/** Kubernetes gives every namespace its name as a label; so do we to those of the configuration. */
export function createNamespaceLabels(namespaces: NamespaceTable): KnownNamespaces {
  const known = new Map<string, Labels>();
  const awaited = new Map<string, Set<() => void>>();

  function update(changes: NamespaceChanges): void {
    for (const [name, namespace] of Object.entries(changes)) {
      if (namespace === null) {
        known.delete(name);
        continue;
      }
      known.set(name, { 'kubernetes.io/metadata.name': name, ...namespace.labels });
      for (const tell of awaited.get(name) ?? []) tell();
    }
  }

  function appears(namespace: string, patience: number): Promise<boolean> {
    if (known.has(namespace) || patience <= 0) return Promise.resolve(known.has(namespace));
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = awaited.get(namespace) ?? new Set();
    awaited.set(namespace, waiting);
    const timer = setTimeout(done, patience);
    waiting.add(done);
    function done(): void {
      clearTimeout(timer);
      waiting.delete(done);
      if (waiting.size === 0) awaited.delete(namespace);
      resolve(known.has(namespace));
    }
    return promise;
  }

  update(namespaces);
  return { labelsOf: (namespace) => known.get(namespace), appears, update };
}

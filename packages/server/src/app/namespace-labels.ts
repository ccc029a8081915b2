import type { NamespaceLabels } from '../kernel/ports.ts';

/** Labels as the configuration has them. Kubernetes gives every namespace its name as a label. */
export function createNamespaceLabels(
  namespaces: Readonly<Record<string, { readonly labels: Readonly<Record<string, string>> }>>,
): NamespaceLabels {
  const known = new Map(
    Object.entries(namespaces).map(([name, { labels }]) => [
      name,
      { 'kubernetes.io/metadata.name': name, ...labels },
    ]),
  );
  return (namespace) => known.get(namespace);
}

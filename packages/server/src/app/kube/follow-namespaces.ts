import type { ReflectorState } from '../../kube/reflector/reflector-types.ts';
import type { KubeResource } from '../../kube/resource.ts';
import type { Reflect } from '../../sources/reflect.ts';
import type { NamespaceChanges, NamespaceTable } from '../namespace-labels.ts';

export const NAMESPACES: KubeResource = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};

/** The labels of all namespaces of a cluster. */
export interface Namespaces {
  start(): void;
  stop(): Promise<void>;
  /** Resolves when all are known. */
  readonly synced: Promise<void>;
  all(): NamespaceTable;
  /** Several changes that come at once are told at once. */
  watch(changed: (changes: NamespaceChanges) => void): void;
  state(): ReflectorState;
}

export function followNamespaces(reflect: Reflect): Namespaces {
  const reflector = reflect({
    resource: NAMESPACES,
    project: ({ metadata }) => ({ labels: metadata.labels ?? {} }),
  });
  return {
    start: () => reflector.start(),
    stop: () => reflector.stop(),
    synced: reflector.synced,
    all: () => Object.fromEntries(reflector.items()),
    watch(changed) {
      let pending: Record<string, NamespaceChanges[string]> | undefined;
      reflector.subscribe((change) => {
        if (change.type === 'synced') return;
        if (pending === undefined) {
          pending = {};
          queueMicrotask(() => {
            changed(pending ?? {});
            pending = undefined;
          });
        }
        pending[change.key] = change.type === 'deleted' ? null : change.value;
      });
    },
    state: () => reflector.state(),
  };
}

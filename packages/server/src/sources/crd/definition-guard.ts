import { isFault } from '../../kernel/fault.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import { pause, type KubeRuntime } from '../../kube/kube-host.ts';
import type { KubeResource } from '../../kube/resource.ts';
import {
  CUSTOM_RESOURCE_GROUP,
  type CustomResource,
} from '../../policy/custom-resources/custom-resources.ts';

export const DEFINITIONS: KubeResource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

/** Milliseconds. */
const RETRY = 1000;

export interface DefinitionGuardOptions {
  readonly client: Pick<KubeClient, 'get'>;
  readonly resource: CustomResource;
  readonly runtime: Pick<KubeRuntime, 'after'>;
  /** What is held, or no longer held, has changed. */
  readonly changed: () => void;
}

/**
 * Tells objects that somebody deleted from objects that went with their definition. Whoever removes a definition takes every
 * policy of the kind out of force with one command, and mostly does not mean to: those stay until the definition is back and
 * its objects were listed again.
 */
export interface DefinitionGuard<T> {
  deleted(key: string, value: T): void;
  /** It is there again. */
  added(key: string): void;
  /** All that there is was listed: nothing needs to be held any more. */
  synced(): void;
  /** Objects that went with their definition. */
  held(): IterableIterator<T>;
  /** Resolves when the API server says that there is no definition; never while it says that there is one. */
  missing(): Promise<void>;
  stop(): void;
}

export function createDefinitionGuard<T>(options: DefinitionGuardOptions): DefinitionGuard<T> {
  const { client, resource, runtime, changed } = options;
  const name = `${resource.plural}.${CUSTOM_RESOURCE_GROUP}`;
  /** Deleted, and still in force until it is known why, or while the definition is gone. */
  const held = new Map<string, T>();
  let asking: Promise<void> | undefined;
  let isGone = false;
  const stopped = new AbortController();

  /** When the API server cannot be asked, objects that were seen to be deleted are gone: that much is certain. */
  async function ask(): Promise<void> {
    while (held.size > 0 && !isGone && !stopped.signal.aborted) {
      // What is deleted while the answer is on its way may have another reason.
      const questioned = [...held.keys()];
      const definition = await client.get({ resource: DEFINITIONS, name }, { signal: stopped.signal });
      const isMissing = isFault(definition) && definition.code === 'PC_KUBE_NOT_FOUND';
      const isEnding = !isFault(definition) && definition.metadata.deletionTimestamp !== undefined;
      isGone = isMissing || isEnding;
      if (!isGone) for (const key of questioned) held.delete(key);
    }
    changed();
  }

  return {
    deleted(key, value) {
      held.set(key, value);
      if (isGone) return;
      asking ??= ask().finally(() => {
        asking = undefined;
      });
    },
    added(key) {
      held.delete(key);
    },
    synced() {
      if (held.size === 0 && !isGone) return;
      isGone = false;
      held.clear();
      changed();
    },
    held: () => held.values(),
    async missing() {
      for (;;) {
        const definition = await client.get({ resource: DEFINITIONS, name }, { signal: stopped.signal });
        if (isFault(definition) && definition.code === 'PC_KUBE_NOT_FOUND') return;
        if (!isFault(definition) || stopped.signal.aborted) await Promise.withResolvers<void>().promise;
        await pause(runtime, RETRY, stopped.signal);
      }
    },
    stop: () => stopped.abort(),
  };
}

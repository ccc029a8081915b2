import { Fault } from '../../kernel/fault.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import type { KubeRuntime } from '../../kube/kube-host.ts';
import type { ReflectorState } from '../../kube/reflector/reflector-types.ts';
import type { KubeResource } from '../../kube/resource.ts';
import { createObjectWatch, type ObjectWatch } from './object-watch.ts';

export interface ObjectWatchesOptions {
  readonly client: KubeClient;
  readonly runtime: KubeRuntime;
  /** Of all kinds together. */
  readonly maxBytes: number;
}

/** What policies read of the cluster: one watch for each kind, begun at the first question and ended when nobody asks. */
export interface ObjectWatches {
  /** Begins it when there is none. */
  of(resource: KubeResource, fieldSelector?: string): ObjectWatch | Fault;
  /** Only one that is there and whole. */
  synced(resource: KubeResource): ObjectWatch | undefined;
  states(): ReadonlyMap<string, ReflectorState>;
  stop(): Promise<void>;
}

/** Watches at the same time; field selectors, which only the API server understands, have their own. */
const MAX_WATCHES = 64;
/** Milliseconds. */
const IDLE = 1_800_000;
/** One that could not be held is tried again after this, and one that nobody asked for so long makes room. */
const RETRY = 60_000;

export function createObjectWatches({ client, runtime, maxBytes }: ObjectWatchesOptions): ObjectWatches {
  const { clock } = runtime;
  const watches = new Map<string, ObjectWatch>();

  const total = (): number => watches.values().reduce((sum, { bytes }) => sum + bytes, 0);

  function drop(key: string, watch: ObjectWatch): void {
    watches.delete(key);
    void watch.stop();
  }

  /** Ends what nobody has asked for lately, and what failed for good a while ago. */
  function sweep(): void {
    const now = clock.now();
    for (const [key, watch] of watches) {
      const { usedAt, overSince = now } = watch;
      if (now - usedAt > IDLE || now - overSince > RETRY) drop(key, watch);
    }
  }

  /** Room for one more: of the watches that nobody has asked lately, the one that waits longest goes. */
  function makeRoom(): boolean {
    const [oldest] = [...watches].toSorted(([, a], [, b]) => a.usedAt - b.usedAt);
    if (oldest === undefined || clock.now() - oldest[1].usedAt < RETRY) return false;
    drop(...oldest);
    return true;
  }

  return {
    of(resource, fieldSelector) {
      sweep();
      const key = keyOf(resource, fieldSelector);
      let watch = watches.get(key);
      if (watch === undefined) {
        if (watches.size >= MAX_WATCHES && !makeRoom()) {
          return new Fault('PC_CAPABILITY_BUSY', `policies read ${MAX_WATCHES} kinds of objects already`);
        }
        const isTooMuch = (): boolean => total() > maxBytes;
        watch = createObjectWatch({ client, runtime, resource, fieldSelector, isTooMuch });
        watches.set(key, watch);
      }
      watch.usedAt = clock.now();
      return watch;
    },
    synced(resource) {
      const watch = watches.get(keyOf(resource, undefined));
      return watch?.state().synced === true ? watch : undefined;
    },
    states: () => new Map([...watches.values()].map((watch) => [watch.name, watch.state()])),
    async stop() {
      const all = [...watches.values()];
      watches.clear();
      await Promise.all(all.map((watch) => watch.stop()));
    },
  };
}

function keyOf({ group, version, plural }: KubeResource, fieldSelector: string | undefined): string {
  return JSON.stringify([group, version, plural, fieldSelector]);
}

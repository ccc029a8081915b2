import { Fault } from '../../kernel/fault.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import type { KubeRuntime } from '../../kube/kube-host.ts';
import type { ReflectorState } from '../../kube/reflector/reflector-types.ts';
import type { KubeResource } from '../../kube/resource.ts';
import { createObjectWatch, type ObjectWatch } from './object-watch.ts';
import { statesByName } from './watch-states.ts';

export interface ObjectWatchesOptions {
  readonly client: KubeClient;
  readonly runtime: KubeRuntime;
  /** Of all kinds together. */
  readonly maxBytes: number;
}

/** What policies read of the cluster: one watch for each kind, begun at the first question and ended when nobody asks. */
export interface ObjectWatches {
  /** Begins it when there is none. */
  of(resource: KubeResource, selected?: Selected): ObjectWatch | Fault;
  /** Only one that is there and whole. */
  synced(resource: KubeResource): ObjectWatch | undefined;
  states(): ReadonlyMap<string, ReflectorState>;
  stop(): Promise<void>;
}

export interface Selected {
  readonly fieldSelector: string;
  /** Who selects. */
  readonly policy: string;
}

/** Watches at the same time; field selectors, which only the API server understands, have their own. */
const MAX_WATCHES = 128;
/**
 * Of them with field selectors that one policy asks for within {@link RETRY}. Guests make them up, so that one could take every place;
 * the kinds that a policy reads are in its document.
 */
const MAX_SELECTED = 16;
/** Milliseconds. */
const IDLE = 1_800_000;
/** One that could not be held is tried again after this, and one that nobody asked for so long makes room. */
const RETRY = 60_000;

export function createObjectWatches({ client, runtime, maxBytes }: ObjectWatchesOptions): ObjectWatches {
  const { clock } = runtime;
  const watches = new Map<string, ObjectWatch>();
  /** When which policy asked last, for watches with field selectors. */
  const askedBy = new Map<string, Map<string, number>>();

  const total = (): number => watches.values().reduce((sum, { bytes }) => sum + bytes, 0);

  function drop(key: string, watch: ObjectWatch): void {
    watches.delete(key);
    askedBy.delete(key);
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

  /** Takes one of the places of the policy. */
  function claim(key: string, policy: string): Fault | undefined {
    const now = clock.now();
    const isFresh = (asked: Map<string, number>): boolean => now - (asked.get(policy) ?? -Infinity) < RETRY;
    const asked = askedBy.get(key) ?? new Map<string, number>();
    if (!isFresh(asked) && [...askedBy.values()].filter(isFresh).length >= MAX_SELECTED) {
      return new Fault(
        'PC_CAPABILITY_BUSY',
        `the policy asks for more than ${MAX_SELECTED} field selectors within a minute, and each has to be followed: select by labels, or among the answer`,
      );
    }
    asked.set(policy, now);
    askedBy.set(key, asked);
    return undefined;
  }

  return {
    of(resource, selected) {
      sweep();
      const { fieldSelector } = selected ?? {};
      const key = keyOf(resource, fieldSelector);
      let watch = watches.get(key);
      if (watch === undefined && watches.size >= MAX_WATCHES && !makeRoom()) {
        return new Fault(
          'PC_CAPABILITY_BUSY',
          `${MAX_WATCHES} kinds and field selectors are followed for policies already`,
        );
      }
      const refused = selected === undefined ? undefined : claim(key, selected.policy);
      if (refused !== undefined) return refused;
      if (watch === undefined) {
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
    states: () => statesByName(Array.from(watches.values(), (watch) => [watch.name, watch.state()])),
    async stop() {
      const all = [...watches.values()];
      watches.clear();
      askedBy.clear();
      await Promise.all(all.map((watch) => watch.stop()));
    },
  };
}

function keyOf({ group, version, plural }: KubeResource, fieldSelector: string | undefined): string {
  return JSON.stringify([group, version, plural, fieldSelector]);
}

import { Fault } from '../../kernel/fault.ts';
import { pause } from '../../kernel/pause.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import type { KubeRuntime } from '../../kube/kube-host.ts';
import { createReflector } from '../../kube/reflector/create-reflector.ts';
import type { ReflectorState } from '../../kube/reflector/reflector-types.ts';
import { resourceName, type KubeResource } from '../../kube/resource.ts';
import { keepObject, type KeptObject } from './kept-object.ts';

/** All objects of a kind, followed as long as policies ask for them. */
export interface ObjectWatch {
  /** For people; without what a guest selects by. */
  readonly name: string;
  /** On the monotonic axis. */
  usedAt: number;
  /** That are held now. */
  readonly bytes: number;
  /** Since when it has been too large to be held, on the monotonic axis. */
  readonly overSince: number | undefined;
  /** Undefined when there is a whole set that is not too old; waits for the first one until the deadline. */
  ready(deadline: number): Promise<Fault | undefined>;
  get(key: string): KeptObject | undefined;
  items(): IterableIterator<readonly [key: string, value: KeptObject]>;
  /** Counts changes. */
  readonly revision: number;
  state(): ReflectorState;
  stop(): Promise<void>;
}

export interface ObjectWatchOptions {
  readonly client: KubeClient;
  readonly runtime: KubeRuntime;
  readonly resource: KubeResource;
  readonly fieldSelector: string | undefined;
  /** Whether all that is held is more than it may be. */
  readonly isTooMuch: () => boolean;
}

/** Milliseconds without a sign of life, after which a decision is not made of what is known: bookmarks come every minute. */
const MAX_STALENESS = 300_000;
/** Milliseconds between two looks at a first list that is under way. */
const LOOK = 10;

export function createObjectWatch(options: ObjectWatchOptions): ObjectWatch {
  const { client, runtime, resource, fieldSelector } = options;
  const { clock } = runtime;
  const name = `${resourceName(resource)}${fieldSelector === undefined ? '' : ' by fields'}`;
  let kept = 0;
  /** Of a list that is still coming, and of a change that is being told. */
  let coming = 0;
  let overSince: number | undefined;
  let revision = 0;

  const reflector = createReflector<KeptObject>({
    client,
    runtime,
    resource,
    fieldSelector,
    project(object) {
      if (overSince !== undefined) return undefined;
      const value = keepObject(object);
      coming += value.bytes;
      if (options.isTooMuch()) {
        overSince = clock.now();
        void reflector.stop();
        runtime.log.log('error', 'a kind that policies read is too large to be held', { resource: name });
      }
      return value;
    },
  });
  reflector.subscribe((change) => {
    if (change.type === 'synced') {
      coming = 0;
      return;
    }
    revision += 1;
    if (change.type !== 'deleted') {
      kept += change.value.bytes;
      coming = Math.max(0, coming - change.value.bytes);
    }
    if (change.type !== 'added') kept -= change.before.bytes;
  });
  reflector.start();

  function problem(): Fault | undefined {
    if (overSince !== undefined) {
      return new Fault(
        'PC_CAPABILITY_SIZE',
        `all ${name} together are larger than what is held for policies`,
      );
    }
    const { staleness = 0, problem: reason, synced } = reflector.state();
    if (!synced) return reason === undefined ? undefined : unreadable(reason);
    if (staleness <= MAX_STALENESS) return undefined;
    return new Fault(
      'PC_CAPABILITY_FAILED',
      `what is known of ${name} is ${Math.round(staleness / 1000)} s old${reason === undefined ? '' : `: ${reason.message}`}`,
    );
  }

  function unreadable(reason: Fault): Fault {
    return new Fault('PC_CAPABILITY_FAILED', `${name} cannot be read: ${reason.message}`, {
      data: { reason: reason.code },
    });
  }

  return {
    name,
    usedAt: clock.now(),
    get bytes() {
      return overSince === undefined ? kept + coming : kept;
    },
    get overSince() {
      return overSince;
    },
    async ready(deadline) {
      for (;;) {
        const found = problem();
        if (found !== undefined || reflector.state().synced) return found;
        if (clock.now() >= deadline) {
          return new Fault('PC_CAPABILITY_TIMEOUT', `${name} are still being read for the first time`);
        }
        await pause(runtime, LOOK);
      }
    },
    get: (key) => reflector.get(key),
    items: () => reflector.items(),
    get revision() {
      return revision;
    },
    state: () => reflector.state(),
    stop: () => reflector.stop(),
  };
}

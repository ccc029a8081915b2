import { Fault } from '../../kernel/fault.ts';
import { pause } from '../kube-host.ts';
import { objectKey, type KubeObject } from '../kube-object.ts';
import { resourceName } from '../resource.ts';
import { createBackoff } from './backoff.ts';
import { createFollower } from './follower.ts';
import type {
  Reflector,
  ReflectorChange,
  ReflectorOptions,
  ReflectorPhase,
  RestartReason,
} from './reflector-types.ts';
import type { Restart } from './restart.ts';
import { createStore } from './store.ts';

/** Milliseconds; the server sends a bookmark every minute. */
const SILENCE = 150_000;
/** Milliseconds, and up to as much again, after a refusal: it takes a person to change that. */
const SLOW = 5000;

/** Follows a collection: list and watch, resume, and list again when the server no longer knows where we were. */
export function createReflector<T>(options: ReflectorOptions<T>): Reflector<T> {
  const { client, runtime, resource, namespace, labelSelector, fieldSelector } = options;
  const { clock, log } = runtime;
  const stopping = new AbortController();
  const firstSync = Promise.withResolvers<void>();
  const listeners = new Set<(change: ReflectorChange<T>) => void>();
  const backoff = createBackoff(runtime);
  const restarts = noRestarts();

  let phase: ReflectorPhase = 'stopped';
  let lastSync: number | undefined;
  let lastLife: number | undefined;
  let problem: Fault | undefined;
  let running: Promise<void> | undefined;

  const note = (
    level: 'info' | 'warn' | 'error',
    message: string,
    fields: Readonly<Record<string, unknown>>,
  ): void => log.log(level, message, { resource: resourceName(resource), namespace, ...fields });

  const project = (object: KubeObject): T | undefined => {
    try {
      return options.project(object);
    } catch (error) {
      const key = objectKey(object.metadata);
      note('error', 'an object of a watched resource could not be read', {
        key,
        reason: Fault.from(error).message,
      });
      return undefined;
    }
  };

  const store = createStore(project, (change) => {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        note('error', 'a subscriber of a watched resource failed', { reason: Fault.from(error).message });
      }
    }
    if (change.type === 'synced') firstSync.resolve();
  });

  const follower = createFollower({
    client,
    runtime,
    store,
    target: { resource, namespace },
    select: { labelSelector, fieldSelector },
    signal: stopping.signal,
    initial: options.initial ?? 'watch-list',
    silence: options.silence ?? SILENCE,
    onPhase: (next) => {
      phase = next;
      if (next === 'watching') recovered();
    },
    onLife: () => {
      lastLife = clock.now();
    },
    onList: () => {
      lastSync = clock.wall();
      lastLife = clock.now();
    },
  });

  function recovered(): void {
    if (problem !== undefined) note('info', 'a resource is watched again', { after: problem.code });
    problem = undefined;
  }

  /** A problem is told when it is another one than before. */
  function failed({ problem: found, reason }: Restart): void {
    if (found !== undefined && found.code !== problem?.code) {
      note('warn', 'a resource cannot be watched; what is known stays in use', {
        code: found.code,
        reason: found.message,
        restart: reason,
      });
    }
    problem = found;
  }

  function waitBefore({ pause: kind, atLeast }: Restart): number {
    if (kind === 'none') return 0;
    const wait = backoff.next();
    return Math.max(atLeast, kind === 'slow' ? SLOW * (1 + runtime.random()) : wait);
  }

  async function run(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted) {
      const restart = await follower.attempt();
      if (signal.aborted) break;
      restarts[restart.reason] += 1;
      failed(restart);
      const wait = waitBefore(restart);
      if (wait === 0) continue;
      phase = 'waiting';
      await pause(runtime, wait, signal);
    }
    phase = 'stopped';
  }

  return {
    start() {
      if (running !== undefined) throw new TypeError('a reflector is started once');
      phase = 'listing';
      running = run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    synced: firstSync.promise,
    get: store.get,
    items: store.items,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    state: () => ({
      phase,
      synced: lastSync !== undefined,
      items: store.size,
      lastSync,
      staleness: lastLife === undefined ? undefined : clock.now() - lastLife,
      resourceVersion: follower.version,
      restarts: { ...restarts },
      problem,
    }),
  };
}

function noRestarts(): Record<RestartReason, number> {
  return {
    ended: 0,
    empty: 0,
    broken: 0,
    silent: 0,
    expired: 0,
    error: 0,
    throttled: 0,
    unreachable: 0,
    refused: 0,
    server: 0,
  };
}

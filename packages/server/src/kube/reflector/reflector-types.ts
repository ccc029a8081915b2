import type { Fault } from '../../kernel/fault.ts';
import type { KubeRuntime } from '../kube-host.ts';
import type { KubeClient } from '../kube-client.ts';
import type { KubeObject } from '../kube-object.ts';
import type { KubeResource } from '../resource.ts';

export interface ReflectorOptions<T> {
  readonly client: KubeClient;
  readonly runtime: KubeRuntime;
  readonly resource: KubeResource;
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  /** `metadata.name=x` follows one object, and RBAC `resourceNames` then suffices. */
  readonly fieldSelector?: string | undefined;
  /** What is kept of an object; undefined: nothing. Must not throw, and must not keep the object when there are many. */
  readonly project: (object: KubeObject) => T | undefined;
  /** `list` never tries to get the objects by watch. Default: tried, for it is cheap for the server. */
  readonly initial?: 'watch-list' | 'list' | undefined;
  /** Milliseconds without a byte after which a watch counts as dead; default 150 000: bookmarks come every minute. */
  readonly silence?: number | undefined;
}

export type ReflectorChange<T> =
  | { readonly type: 'added'; readonly key: string; readonly value: T }
  | { readonly type: 'changed'; readonly key: string; readonly value: T; readonly before: T }
  | { readonly type: 'deleted'; readonly key: string; readonly before: T }
  /** Everything that a list brought has been told; the set is whole. Comes after every list. */
  | { readonly type: 'synced' };

/** `waiting`: a problem, and a pause before the next attempt. */
export type ReflectorPhase = 'stopped' | 'listing' | 'watching' | 'waiting';

/** Why the watch was opened again or the objects listed again. */
export type RestartReason =
  | 'ended'
  | 'empty'
  | 'broken'
  | 'silent'
  | 'expired'
  | 'error'
  | 'throttled'
  | 'unreachable'
  | 'refused'
  | 'server';

export interface ReflectorState {
  readonly phase: ReflectorPhase;
  /** True from the first complete list on. */
  readonly synced: boolean;
  readonly items: number;
  /** Milliseconds since 1970 of the last complete list; for people. */
  readonly lastSync: number | undefined;
  /** Milliseconds since the last event, bookmark or complete list; undefined before the first. */
  readonly staleness: number | undefined;
  readonly resourceVersion: string | undefined;
  readonly restarts: Readonly<Record<RestartReason, number>>;
  /** Undefined when the last attempt went well. */
  readonly problem: Fault | undefined;
}

/** A copy of a collection that follows the API server. Keeps the last good set whatever happens. */
export interface Reflector<T> {
  /** Once. */
  start(): void;
  /** Resolves when nothing is told any more. */
  stop(): Promise<void>;
  /** Resolves at the first complete list; never when it is stopped before. */
  readonly synced: Promise<void>;
  /** `namespace/name`, or `name` of what has no namespace. */
  get(key: string): T | undefined;
  items(): IterableIterator<readonly [key: string, value: T]>;
  /** In order, one at a time, synchronously; the answer ends it. `get` and `items` already show the change. */
  subscribe(listener: (change: ReflectorChange<T>) => void): () => void;
  state(): ReflectorState;
}

import { Fault, isFault } from '../../kernel/fault.ts';
import type { KubeRuntime } from '../kube-host.ts';
import type { KubeClient } from '../kube-client.ts';
import type { SelectOptions } from '../kube-request.ts';
import type { KubeTarget } from '../resource.ts';
import type { WatchEnd, WatchEvent } from '../watch-event.ts';
import { listAll } from './list-all.ts';
import { restartAfter, type Restart } from './restart.ts';
import type { Stage, Store } from './store.ts';

export interface FollowerOptions<T> {
  readonly client: KubeClient;
  readonly runtime: KubeRuntime;
  readonly target: KubeTarget;
  readonly select: SelectOptions;
  readonly store: Store<T>;
  readonly signal: AbortSignal;
  readonly initial: 'watch-list' | 'list';
  /** Milliseconds without a byte after which a watch counts as dead. */
  readonly silence: number;
  readonly onPhase: (phase: 'listing' | 'watching') => void;
  /** An event or a bookmark: what we have is as new as it can be. */
  readonly onLife: () => void;
  /** All objects have come; the store is about to take them. */
  readonly onList: () => void;
}

/** Brings a store up to date and keeps it so until something ends it. Remembers where it was. */
export interface Follower {
  readonly version: string | undefined;
  /** Lists if needed, then watches; resolves when the watch ended or something failed. */
  attempt(): Promise<Restart>;
}

/** Milliseconds. A server that does not know how to send the initial objects stays silent where it should end them. */
const INITIAL_SILENCE = 20_000;
/** Seconds: this, and up to as much again, so that the watches of many clients do not end together. */
const WATCH_SECONDS = 300;

export function createFollower<T>(options: FollowerOptions<T>): Follower {
  const { client, runtime, target, select, store, signal } = options;
  /** Where a watch goes on, or what a list must not be older than. Opaque. */
  let version: string | undefined;
  let isListed = false;
  let mustList = true;
  /** The watch broke and does not stand again yet: the server may be another one now. */
  let isDoubtful = false;
  /** `later`: not at the next attempt. */
  let watchList: 'yes' | 'later' | 'no' = options.initial === 'list' ? 'no' : 'yes';

  function complete(stage: Stage, listVersion: string): void {
    version = listVersion;
    isListed = true;
    mustList = false;
    options.onList();
    stage.commit();
  }

  async function list(): Promise<Fault | undefined> {
    options.onPhase('listing');
    let stage = store.stage();
    const listed = await listAll({
      client,
      target,
      options: { ...select, signal },
      from: version ?? (isListed ? undefined : '0'),
      begin: () => {
        stage = store.stage();
      },
      onItem: (object) => stage.put(object),
    });
    if (isFault(listed)) return listed;
    complete(stage, listed);
    return undefined;
  }

  function apply(
    { type, object }: Exclude<WatchEvent, { type: 'BOOKMARK' }>,
    stage: Stage | undefined,
  ): Fault | undefined {
    const { resourceVersion } = object.metadata;
    if (resourceVersion === undefined) {
      return new Fault('PC_KUBE_ANSWER', 'an event of the watch has no resource version');
    }
    const set = stage ?? store;
    if (type === 'DELETED') set.remove(object);
    else set.put(object);
    if (stage !== undefined) return undefined;
    version = resourceVersion;
    options.onLife();
    return undefined;
  }

  /** With a stage the server first sends all objects; until they are complete, their versions mean nothing. */
  async function watch(initial: Stage | undefined): Promise<WatchEnd | Fault> {
    let stage = initial;
    const onEvent = (event: WatchEvent): Fault | undefined => {
      if (event.type !== 'BOOKMARK') return apply(event, stage);
      if (stage !== undefined) {
        if (!event.initialEventsEnd) return undefined;
        complete(stage, event.resourceVersion);
        stage = undefined;
        options.onPhase('watching');
      }
      version = event.resourceVersion;
      options.onLife();
      return undefined;
    };
    const end = await client.watch(
      target,
      {
        ...select,
        signal,
        resourceVersion: version,
        sendInitialEvents: initial !== undefined,
        timeoutSeconds: WATCH_SECONDS + Math.floor(runtime.random() * WATCH_SECONDS),
        silence: () => (stage === undefined ? options.silence : INITIAL_SILENCE),
        onOpen: () => {
          isDoubtful = false;
          options.onPhase(stage === undefined ? 'watching' : 'listing');
        },
      },
      onEvent,
    );
    return stage === undefined ? end : incomplete(end);
  }

  /** The initial objects did not come to their end. */
  function incomplete(end: WatchEnd | Fault): Fault {
    if (!isFault(end)) {
      watchList = 'later';
      return new Fault('PC_KUBE_ANSWER', 'the watch ended before all objects had come');
    }
    if (end.code === 'PC_KUBE_INVALID') watchList = 'no';
    if (end.code === 'PC_KUBE_TIMEOUT' || end.code === 'PC_KUBE_ANSWER') watchList = 'later';
    if (end.code === 'PC_KUBE_GONE') version = undefined;
    return end;
  }

  /** Undefined when the server sends no initial objects by watch: the list is the other way. */
  async function watchFromNothing(): Promise<WatchEnd | Fault | undefined> {
    const end = await watch(store.stage());
    return mustList && watchList === 'no' ? undefined : end;
  }

  /**
   * The server may have been replaced (restored from a backup, or made anew), with versions that begin anew. A watch from a
   * version that it has not reached would skip everything below without a word, but a list refuses it. One that has reached it
   * again cannot be told apart; such a time does not pass unnoticed.
   */
  async function checkVersion(): Promise<Fault | undefined> {
    const query = { resourceVersion: version, resourceVersionMatch: 'NotOlderThan', limit: 1 } as const;
    const answer = await client.eachItem(target, { ...select, signal, ...query }, () => undefined);
    if (!isFault(answer)) return undefined;
    if (answer.code !== 'PC_KUBE_GONE') return answer;
    mustList = true;
    version = undefined;
    return undefined;
  }

  async function bringUpToDate(): Promise<WatchEnd | Fault | undefined> {
    if (!mustList) return undefined;
    const isByWatch = watchList === 'yes';
    if (watchList === 'later') watchList = 'yes';
    return (isByWatch ? await watchFromNothing() : undefined) ?? list();
  }

  async function listAndWatch(): Promise<WatchEnd | Fault> {
    const fault = isDoubtful && !mustList ? await checkVersion() : undefined;
    return fault ?? (await bringUpToDate()) ?? watch(undefined);
  }

  return {
    get version() {
      return version;
    },
    async attempt() {
      const began = runtime.clock.now();
      const end = await listAndWatch();
      const restart = restartAfter(end, runtime.clock.now() - began);
      if (restart.relist === 'yes') mustList = true;
      if (restart.relist === 'unknown') isDoubtful = true;
      return restart;
    },
  };
}

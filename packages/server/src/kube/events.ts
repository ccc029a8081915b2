import { isFault } from '../kernel/fault.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeRuntime } from './kube-host.ts';
import { microTime } from './lease.ts';
import { present } from './present.ts';
import { EVENTS } from './resource.ts';

/** What an event is about. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
}

export interface KubeEvent {
  readonly regarding: EventSubject;
  readonly type: 'Normal' | 'Warning';
  /** One word in upper camel case: `PolicyRefused`. */
  readonly reason: string;
  /** What was done: `Load`. */
  readonly action: string;
  /** A sentence for people; cut at 1024 bytes. Never a secret. */
  readonly note: string;
}

/** Tells people by `kubectl events`. Best effort: nothing waits for it, and nothing fails with it. */
export interface EventRecorder {
  record(event: KubeEvent): void;
  /** Events that were not written because there were too many, or the server refused them. */
  dropped(): number;
  /** Writes what repeats still have to tell. */
  stop(): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly runtime: KubeRuntime;
  /** `portcullis.dev/server`. */
  readonly controller: string;
  /** Of this replica: the name of the pod. */
  readonly instance: string;
  /** New events per minute, and at once; default 20. Repeats of one event do not count. */
  readonly perMinute?: number;
}

const MINUTE = 60_000;
/** Milliseconds after which the same thing is a new event. */
const SERIES = 10 * MINUTE;
/** Series that are remembered. */
const MAX_SERIES = 500;
const MAX_NOTE = 1024;
const MAX_NAME = 200;

interface Series {
  readonly name: string;
  readonly namespace: string;
  count: number;
  last: number;
  /** Stops the timer of the next write. */
  cancel: (() => void) | undefined;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, runtime, controller, instance, perMinute = 20 } = options;
  const { clock } = runtime;
  const recent = new Map<string, Series>();
  let tokens = perMinute;
  let refilled = clock.now();
  let dropped = 0;
  /** One write at a time. */
  let queue: Promise<void> = Promise.resolve();

  function mayCreate(): boolean {
    const now = clock.now();
    tokens = Math.min(perMinute, tokens + ((now - refilled) * perMinute) / MINUTE);
    refilled = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  }

  function enqueue(write: () => Promise<unknown>): void {
    queue = queue.then(async () => {
      const answer = await write();
      if (!isFault(answer)) return;
      dropped += 1;
      runtime.log.log('debug', 'an event could not be written', {
        code: answer.code,
        reason: answer.message,
      });
    });
  }

  function create(key: string, event: KubeEvent): void {
    if (!mayCreate()) {
      dropped += 1;
      return;
    }
    const { regarding, type, reason, action, note } = event;
    const namespace = regarding.namespace ?? 'default';
    const unique = Math.floor(runtime.random() * 2 ** 48).toString(16);
    const name = `${regarding.name.slice(0, MAX_NAME)}.${unique}`;
    forgetOldest();
    recent.set(key, { name, namespace, count: 1, last: clock.now(), cancel: undefined });
    const body = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace },
      eventTime: microTime(clock.wall()),
      reportingController: controller,
      reportingInstance: instance,
      regarding: present(regarding),
      type,
      reason,
      action,
      note: cut(note),
    };
    enqueue(() => client.create({ resource: EVENTS, namespace }, body));
  }

  function repeat(series: Series): void {
    series.count += 1;
    series.last = clock.now();
    series.cancel ??= runtime.after(MINUTE, () => writeSeries(series));
  }

  function writeSeries(series: Series): void {
    series.cancel?.();
    series.cancel = undefined;
    const { name, namespace, count } = series;
    const body = { series: { count, lastObservedTime: microTime(clock.wall()) } };
    enqueue(() => client.patch({ resource: EVENTS, namespace, name }, { type: 'merge', body }));
  }

  function forgetOldest(): void {
    for (const [key, series] of recent) {
      if (recent.size < MAX_SERIES && clock.now() - series.last < SERIES) continue;
      if (series.cancel !== undefined) writeSeries(series);
      recent.delete(key);
    }
  }

  return {
    record(event) {
      const { regarding, type, reason, action, note } = event;
      const key = JSON.stringify([regarding, type, reason, action, note]);
      const series = recent.get(key);
      if (series !== undefined && clock.now() - series.last < SERIES) repeat(series);
      else create(key, event);
    },
    dropped: () => dropped,
    async stop() {
      for (const series of recent.values()) if (series.cancel !== undefined) writeSeries(series);
      await queue;
    },
  };
}

/** The API counts bytes. */
function cut(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= MAX_NOTE) return note;
  return `${bytes
    .subarray(0, MAX_NOTE - 8)
    .toString('utf8')
    .replace(/\uFFFD$/, '')}…`;
}

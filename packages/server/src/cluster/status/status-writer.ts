import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '@portcullis/contract';
import { isFault } from '../../kernel/fault.ts';
import { inLanes } from '../../kernel/in-lanes.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import type { KubeRuntime } from '../../kube/kube-host.ts';
import { apiVersionOf, type KubeResource } from '../../kube/resource.ts';
import { withTransitionTimes } from './describe-status.ts';

/** One object, what its status is now, and what it should be. */
export interface StatusSubject {
  readonly resource: KubeResource;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly current: unknown;
  readonly wanted: JsonObject;
}

export interface StatusWriterOptions {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly runtime: Pick<KubeRuntime, 'clock' | 'log' | 'after'>;
  readonly subjects: () => Iterable<StatusSubject>;
}

/** Writes the status of our objects where it differs. One replica at a time runs it: the owner of the lease. */
export interface StatusWriter {
  start(): void;
  stop(): void;
  /** Something that shows in a status may have changed. */
  refresh(): void;
  /** Writes that failed since the process began. */
  readonly failures: number;
}

const FIELD_MANAGER = 'portcullis';
/** Milliseconds. Faults come in a stream; the API server is told of it a few times a minute. */
const REPEAT = 15_000;
/** After a change: several objects are mostly changed together. */
const SETTLE = 200;
const LANES = 4;

export function createStatusWriter({ client, runtime, subjects }: StatusWriterOptions): StatusWriter {
  const { clock, log } = runtime;
  let failures = 0;
  let running = false;
  let writing: Promise<void> | undefined;
  let cancel: (() => void) | undefined;
  /** Milliseconds on the monotonic axis of the pass that is planned. */
  let planned = Infinity;

  function plan(wait: number): void {
    const due = clock.now() + wait;
    if (!running || due >= planned) return;
    cancel?.();
    planned = due;
    cancel = runtime.after(wait, () => {
      planned = Infinity;
      writing = (writing ?? Promise.resolve()).then(pass);
    });
  }

  async function pass(): Promise<void> {
    if (!running) return;
    const due = [...subjects()].flatMap((subject) => {
      const wanted = withTransitionTimes(subject.wanted, subject.current, clock.wall());
      return isDeepStrictEqual(wanted, subject.current) ? [] : [{ ...subject, wanted }];
    });
    await inLanes(due, LANES, write);
    plan(REPEAT);
  }

  async function write({ resource, name, namespace, wanted }: StatusSubject): Promise<void> {
    if (!running) return;
    const body = {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
      status: wanted,
    };
    const target = { resource, name, namespace, subresource: 'status' };
    const written = await client.patch(
      target,
      { type: 'apply', body },
      { fieldManager: FIELD_MANAGER, force: true },
    );
    // An object that is gone has no status to write, and one that only just went is made again by applying.
    if (!isFault(written) || written.code === 'PC_KUBE_NOT_FOUND') return;
    failures += 1;
    log.log('warn', 'a status could not be written', {
      kind: resource.kind,
      name,
      code: written.code,
      reason: written.message,
    });
  }

  return {
    start() {
      running = true;
      plan(SETTLE);
    },
    stop() {
      running = false;
      planned = Infinity;
      cancel?.();
    },
    refresh: () => plan(SETTLE),
    get failures() {
      return failures;
    },
  };
}

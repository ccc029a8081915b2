import type { JsonObject } from '@portcullis/contract';
import { isInForce } from '../../src/cluster/registration/in-force.ts';
import type { Reflect } from '../../src/sources/reflect.ts';
import { Fault } from '../../src/kernel/fault.ts';
import type { KubeClient } from '../../src/kube/kube-client.ts';
import type { KubeRuntime } from '../../src/kube/kube-host.ts';
import type { KubeObject } from '../../src/kube/kube-object.ts';
import type {
  Reflector,
  ReflectorChange,
  ReflectorOptions,
} from '../../src/kube/reflector/reflector-types.ts';
import type { KubeTarget } from '../../src/kube/resource.ts';

type Webhook = Readonly<Record<string, unknown>> & { readonly name: string };

/** A few objects with resource versions, watched by reflectors that hear of a change a moment later. */
export class MemoryCluster {
  readonly objects = new Map<string, KubeObject>();
  /** What was asked of it, oldest first: `patch apply ValidatingWebhookConfiguration`. */
  readonly requests: string[] = [];
  /** While set, every write fails with it. */
  failure: Fault | undefined;
  /** Kinds whose reflectors are refused: they hear nothing any more, and those that start know nothing. */
  readonly refused = new Map<string, Fault>();
  readonly #listeners = new Set<(kind: string, key: string) => void>();
  #version = 0;

  readonly client: Pick<KubeClient, 'patch' | 'delete'> = {
    patch: async ({ resource, name = '' }, { type, body }) => {
      this.requests.push(`patch ${type} ${resource.kind}`);
      await Promise.resolve();
      if (this.failure !== undefined) return this.failure;
      const before = this.objects.get(`${resource.kind} ${name}`);
      if (type === 'json') return this.put({ ...(before as KubeObject), webhooks: replacement(body) });
      const applied = applyBy(before, body as KubeObject);
      const isSame = before !== undefined && JSON.stringify(before) === JSON.stringify(applied);
      return isSame ? before : this.put(applied);
    },
    delete: async ({ resource, name = '' }: KubeTarget) => {
      this.requests.push(`delete ${resource.kind}`);
      await Promise.resolve();
      if (this.failure !== undefined) return this.failure;
      return this.remove(resource.kind, name)
        ? undefined
        : new Fault('PC_KUBE_NOT_FOUND', 'there is no such object');
    },
  };

  readonly reflect: Reflect = <T>(options: Omit<ReflectorOptions<T>, 'client' | 'runtime'>) => {
    const { kind } = options.resource;
    const known = new Map<string, T>();
    const subscribers = new Set<(change: ReflectorChange<T>) => void>();
    const wanted = options.fieldSelector?.replace('metadata.name=', '');
    let synced = false;
    const keyOf = ({ metadata }: KubeObject): string =>
      metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
    const tell = (change: ReflectorChange<T>): void => subscribers.forEach((listener) => listener(change));
    const hear = (changedKind: string, key: string): void => {
      if (changedKind !== kind || key.split('/').at(-1) !== wanted || this.refused.has(kind)) return;
      const object = this.objects.get(`${kind} ${key}`);
      queueMicrotask(() => {
        const before = known.get(key);
        const value = object === undefined ? undefined : options.project(object);
        if (value === undefined) {
          known.delete(key);
          if (before !== undefined) tell({ type: 'deleted', key, before });
          return;
        }
        known.set(key, value);
        tell(before === undefined ? { type: 'added', key, value } : { type: 'changed', key, value, before });
      });
    };
    const reflector: Reflector<T> = {
      start: () => {
        this.#listeners.add(hear);
        for (const object of this.objects.values()) if (object.kind === kind) hear(kind, keyOf(object));
        queueMicrotask(() => {
          if (this.refused.has(kind)) return;
          synced = true;
          tell({ type: 'synced' });
        });
      },
      stop: () => {
        this.#listeners.delete(hear);
        return Promise.resolve();
      },
      synced: Promise.resolve(),
      get: (key) => known.get(key),
      items: () => [].values(),
      subscribe: (listener) => {
        subscribers.add(listener);
        return () => subscribers.delete(listener);
      },
      state: () => ({
        phase: 'watching',
        synced,
        items: known.size,
        lastSync: 0,
        staleness: 0,
        resourceVersion: '1',
        restarts: {} as never,
        problem: this.refused.get(kind),
      }),
    };
    return reflector;
  };

  put(object: KubeObject): KubeObject {
    const { name, namespace } = object.metadata;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } };
    const key = namespace === undefined ? name : `${namespace}/${name}`;
    this.objects.set(`${object.kind} ${key}`, stored);
    this.#listeners.forEach((listener) => listener(object.kind, key));
    return stored;
  }

  remove(kind: string, key: string): boolean {
    const existed = this.objects.delete(`${kind} ${key}`);
    this.#listeners.forEach((listener) => listener(kind, key));
    return existed;
  }

  has(kind: string, wanted: JsonObject | undefined): boolean {
    const object = this.objects.get(`${kind} portcullis`) as unknown as JsonObject | undefined;
    if (wanted === undefined || object === undefined) return wanted === undefined && object === undefined;
    return isInForce(object, wanted);
  }
}

/** As server-side apply: webhooks are merged by name, and what others added stays. */
function applyBy(before: KubeObject | undefined, body: KubeObject): KubeObject {
  if (before === undefined) return body;
  const mine = body['webhooks'] as readonly Webhook[];
  const theirs = (before['webhooks'] as readonly Webhook[]).filter(
    ({ name }) => !mine.some((webhook) => webhook.name === name),
  );
  const merged = mine.map((webhook) => ({
    ...(before['webhooks'] as readonly Webhook[]).find(({ name }) => name === webhook.name),
    ...webhook,
  }));
  const labels = { ...before.metadata.labels, ...body.metadata.labels };
  return { ...before, metadata: { ...before.metadata, labels }, webhooks: [...merged, ...theirs] };
}

function replacement(operations: unknown): unknown {
  const list = operations as readonly { readonly path: string; readonly value: unknown }[];
  return list.find(({ path }) => path === '/webhooks')?.value;
}

/** Time that passes only when it is told to. */
export class ManualRuntime implements KubeRuntime {
  readonly lines: string[] = [];
  time = 0;
  readonly #timers = new Map<number, { readonly at: number; readonly run: () => void }>();
  #next = 0;

  readonly clock = { now: (): number => this.time, wall: (): number => this.time };
  readonly log = {
    enabled: (): boolean => true,
    log: (level: string, message: string): void => void this.lines.push(`${level} ${message}`),
  };

  random(): number {
    return 0.5;
  }

  after(milliseconds: number, run: () => void): () => void {
    const id = this.#next++;
    this.#timers.set(id, { at: this.time + milliseconds, run });
    return () => this.#timers.delete(id);
  }

  async pass(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    for (;;) {
      await settled();
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due[0]);
      this.time = due[1].at;
      due[1].run();
    }
    this.time = end;
  }
}

/** All that promises had to do is done. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

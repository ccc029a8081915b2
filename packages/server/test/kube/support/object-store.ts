import { randomUUID } from 'node:crypto';

export interface StoredObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface StoreEvent {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: StoredObject;
}

/** Objects with one version counter and a history, like etcd. */
export interface ObjectStore {
  version(): number;
  /** Versions below are compacted. */
  oldest(): number;
  get(key: string): StoredObject | undefined;
  put(key: string, body: Partial<StoredObject>): StoredObject;
  remove(key: string): StoredObject | undefined;
  /** By key, as of a version. */
  objects(at?: number): StoredObject[];
  history(): readonly StoreEvent[];
  /** Forgets the history up to now. */
  compact(): void;
  /** Another store in its place: versions begin anew, far below. */
  replace(contents: Readonly<Record<string, Readonly<Record<string, string>>>>): void;
  subscribe(listener: (event: StoreEvent) => void): void;
}

export function createObjectStore(firstVersion = 100): ObjectStore {
  let objects = new Map<string, StoredObject>();
  let events: StoreEvent[] = [];
  let version = firstVersion;
  let oldest = firstVersion;
  let begin = firstVersion;
  const listeners: ((event: StoreEvent) => void)[] = [];

  const happen = (type: StoreEvent['type'], object: StoredObject): void => {
    const event = { version, type, object };
    events.push(event);
    for (const listener of listeners) listener(event);
  };
  const put = (key: string, body: Partial<StoredObject>): StoredObject => {
    const before = objects.get(key);
    version += 1;
    const [namespace = '', name = ''] = key.split('/');
    const uid = before?.metadata.uid ?? randomUUID();
    const object: StoredObject = {
      ...body,
      apiVersion: body.apiVersion ?? 'v1',
      kind: body.kind ?? 'ConfigMap',
      metadata: { ...body.metadata, name, namespace, uid, resourceVersion: String(version) },
    };
    objects.set(key, object);
    happen(before === undefined ? 'ADDED' : 'MODIFIED', object);
    return object;
  };

  return {
    version: () => version,
    oldest: () => oldest,
    get: (key) => objects.get(key),
    put,
    remove(key) {
      const before = objects.get(key);
      if (before === undefined) return undefined;
      version += 1;
      objects.delete(key);
      const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } };
      happen('DELETED', object);
      return object;
    },
    objects(at = version) {
      const then = new Map(objects);
      // Back in time, the latest event first.
      for (const { version: when, object } of events.toReversed()) {
        if (when <= at) break;
        const key = `${object.metadata.namespace}/${object.metadata.name}`;
        const before = events.findLast(
          (event) =>
            event.version < when &&
            `${event.object.metadata.namespace}/${event.object.metadata.name}` === key,
        );
        if (before === undefined || before.type === 'DELETED') then.delete(key);
        else then.set(key, before.object);
      }
      return [...then].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, object]) => object);
    },
    history: () => events,
    compact() {
      events = [];
      oldest = version;
    },
    replace(contents) {
      objects = new Map();
      events = [];
      begin -= Math.floor(firstVersion / 20);
      version = begin;
      oldest = begin;
      for (const [key, data] of Object.entries(contents)) put(key, { data });
    },
    subscribe: (listener) => void listeners.push(listener),
  };
}

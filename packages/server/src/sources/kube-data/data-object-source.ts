import { isFault } from '../../kernel/fault.ts';
import type { Reflector, ReflectorState } from '../../kube/reflector/reflector-types.ts';
import { byAge } from '../by-age.ts';
import type { Reflect } from '../reflect.ts';
import type { DocumentReading, DocumentSource } from '../source.ts';
import { documentsOf } from './data-documents.ts';
import { locationOf, toDataObject, type DataKind, type DataObject } from './data-object.ts';

export interface DataObjectSourceOptions {
  readonly kind: DataKind;
  /** The only one that is watched. */
  readonly namespace: string;
  /** As `kubectl -l` takes it. */
  readonly labelSelector: string;
  readonly reflect: Reflect;
}

/** ConfigMaps or Secrets that carry a label: each holds policies, or is a plugin. */
export interface DataObjectSource extends DocumentSource {
  start(): void;
  stop(): Promise<void>;
  state(): ReflectorState;
}

interface Held {
  readonly version: string;
  readonly created: string;
  readonly readings: readonly DocumentReading[];
}

export function createDataObjectSource(options: DataObjectSourceOptions): DataObjectSource {
  const { kind, namespace, labelSelector, reflect } = options;
  const listeners = new Set<() => void>();
  const reflector: Reflector<Held> = reflect({
    resource: kind.resource,
    namespace,
    labelSelector,
    project: (object) => ({
      created: object.metadata.creationTimestamp ?? '',
      ...read(toDataObject(object), kind),
    }),
  });
  reflector.subscribe((change) => {
    if (change.type === 'changed' && change.before.version === change.value.version) return;
    for (const listener of listeners) listener();
  });

  return {
    name: kind.place.toLowerCase(),
    // Before they were listed once nobody can say what the policies are.
    async read() {
      await reflector.synced;
      // Of two objects with a policy of one name, the older one has it on every replica.
      const held = Array.from(reflector.items(), ([key, { created, readings }]) => ({
        key,
        created,
        readings,
      }));
      return held.sort(byAge).flatMap(({ readings }) => readings);
    },
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    start: () => reflector.start(),
    stop: () => reflector.stop(),
    state: () => reflector.state(),
  };
}

/** The bytes are not kept: modules are fetched by those who need them. */
function read(data: DataObject, kind: DataKind): Omit<Held, 'created'> {
  const container = locationOf(data);
  const readings = documentsOf(data, kind).map((document) => ({ container, ...document }));
  return { version: data.version, readings: unnamed(readings) };
}

/** A broken object whose documents have no name to be known by is known by itself. */
function unnamed(readings: readonly DocumentReading[]): readonly DocumentReading[] {
  return readings.filter((reading, index) => {
    if (!isFault(reading.result) || reading.name !== undefined) return true;
    return readings.findIndex((other) => isFault(other.result) && other.name === undefined) === index;
  });
}

import type { KubeClient } from '../../kube/kube-client.ts';
import type { KubeRuntime } from '../../kube/kube-host.ts';
import { objectKey, type KubeObject } from '../../kube/kube-object.ts';
import type { Reflector, ReflectorState } from '../../kube/reflector/reflector-types.ts';
import type { KubeResource } from '../../kube/resource.ts';
import {
  CUSTOM_RESOURCE_GROUP,
  CUSTOM_RESOURCE_VERSION,
  CUSTOM_RESOURCES,
  type CustomResource,
} from '../../policy/custom-resources/custom-resources.ts';
import { parseCustomResource, policyNameOf } from '../../policy/custom-resources/parse-custom-resource.ts';
import { byAge } from '../by-age.ts';
import type { Reflect } from '../reflect.ts';
import type { DocumentReading, DocumentSource } from '../source.ts';
import { createDefinitionGuard, type DefinitionGuard } from './definition-guard.ts';

export interface CustomResourceOptions {
  readonly reflect: Reflect;
  readonly client: KubeClient;
  readonly runtime: KubeRuntime;
}

/** One object of ours as it is in the API server. */
export interface KeptResource {
  readonly resource: CustomResource;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly uid: string;
  readonly generation: number;
  readonly created: string;
  /** Changes of the object that cannot change the document leave the reading the same. */
  readonly signature: string;
  readonly reading: DocumentReading;
  /** As stored; what is written there is compared with it. */
  readonly status: unknown;
}

/** Policies, groups and exceptions that are objects of the API server. */
export interface CustomResourceSource extends DocumentSource {
  start(): void;
  stop(): Promise<void>;
  /** Every object, by kind and key. */
  objects(): IterableIterator<KeptResource>;
  states(): ReadonlyMap<string, ReflectorState>;
}

export function kubeResourceOf({ plural, kind, namespaced }: CustomResource): KubeResource {
  return { group: CUSTOM_RESOURCE_GROUP, version: CUSTOM_RESOURCE_VERSION, plural, kind, namespaced };
}

export function createCustomResourceSource(options: CustomResourceOptions): CustomResourceSource {
  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  const collections = CUSTOM_RESOURCES.map((resource) => openCollection(resource, { ...options, changed }));

  return {
    name: 'crd',
    // Before every kind was listed nobody can say what the policies are.
    async read() {
      await Promise.all(collections.map(({ settled }) => settled));
      // Of two kinds with one name, the older object has it on every replica.
      const kept = collections.flatMap((collection) => collection.kept());
      return kept.sort(byAge).map(({ reading }) => reading);
    },
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    start() {
      for (const { start } of collections) start();
    },
    async stop() {
      await Promise.all(
        collections.map(async ({ reflector, guard }) => {
          guard.stop();
          await reflector.stop();
        }),
      );
    },
    *objects() {
      for (const { reflector } of collections) for (const [, kept] of reflector.items()) yield kept;
    },
    states: () => new Map(collections.map(({ resource, reflector }) => [resource.plural, reflector.state()])),
  };
}

interface Collection {
  readonly resource: CustomResource;
  readonly reflector: Reflector<KeptResource>;
  readonly guard: DefinitionGuard<KeptResource>;
  /** Resolves when the objects were listed once, or their kind does not exist. */
  readonly settled: Promise<void>;
  start(): void;
  kept(): readonly KeptResource[];
}

interface CollectionOptions extends CustomResourceOptions {
  readonly changed: () => void;
}

function openCollection(resource: CustomResource, options: CollectionOptions): Collection {
  const { reflect, changed } = options;
  const guard = createDefinitionGuard<KeptResource>({ ...options, resource });
  const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
  const reflector: Reflector<KeptResource> = reflect({
    resource: kubeResourceOf(resource),
    project: (object) => keep(resource, object, reflector.get(objectKey(object.metadata))),
  });

  reflector.subscribe((change) => {
    switch (change.type) {
      case 'synced':
        guard.synced();
        break;
      case 'deleted':
        guard.deleted(change.key, change.before);
        break;
      case 'added':
        guard.added(change.key);
        changed();
        break;
      default:
        if (change.before.reading !== change.value.reading) changed();
    }
  });

  return {
    resource,
    reflector,
    guard,
    settled,
    start() {
      reflector.start();
      void Promise.race([reflector.synced, guard.missing()]).then(settle);
    },
    kept: () => [
      ...Array.from(reflector.items(), ([, kept]) => kept),
      ...Array.from(guard.held(), (kept) => ({ ...kept, reading: orphaned(kept.reading, resource) })),
    ],
  };
}

function orphaned(reading: DocumentReading, { plural }: CustomResource): DocumentReading {
  const warning = `the definition of ${plural} is gone: the last good policy stays in force`;
  return { ...reading, warnings: [...(reading.warnings ?? []), warning] };
}

/** Reads each object once: a change of its status, or an event that comes twice, gives the same reading again. */
function keep(resource: CustomResource, object: KubeObject, before: KeptResource | undefined): KeptResource {
  const { name, namespace, uid = '', generation = 0, creationTimestamp = '' } = object.metadata;
  const { labels, annotations } = object.metadata;
  const signature = JSON.stringify([uid, generation, labels, annotations]);
  return {
    resource,
    name,
    namespace,
    uid,
    generation,
    created: creationTimestamp,
    signature,
    reading: before?.signature === signature ? before.reading : readingOf(resource, object),
    status: object['status'],
  };
}

function readingOf(resource: CustomResource, object: KubeObject): DocumentReading {
  const result = parseCustomResource(resource, object);
  const name = policyNameOf(resource, object);
  const container = `${resource.plural}.${CUSTOM_RESOURCE_GROUP}/${name}`;
  return {
    container,
    name,
    result,
    ...(resource.document === 'PolicyException' ? { kind: 'exception' } : {}),
  };
}

import type { KeyReference, Policy } from '@portcullis/contract';
import { Fault } from '../../kernel/fault.ts';
import { pause, type KubeRuntime } from '../../kube/kube-host.ts';
import type { Reflector } from '../../kube/reflector/reflector-types.ts';
import type { Reflect } from '../reflect.ts';
import type { ModuleSource } from '../source.ts';
import { locationOf, moduleIn, toDataObject, type DataKind, type DataObject } from './data-object.ts';

export interface DataModuleSourceOptions {
  readonly kind: DataKind;
  /** Of references that name none. */
  readonly namespace: string;
  readonly reflect: Reflect;
  readonly runtime: Pick<KubeRuntime, 'after'>;
  /** Milliseconds that the first look at an object may take; default 5000. */
  readonly patience?: number;
}

/** Modules in ConfigMaps or Secrets, by the object's name and a key of it. */
export interface DataModuleSource extends ModuleSource {
  /** Calls back when an object that was asked for has changed. */
  watch(changed: () => void): () => void;
  /** Stops to follow what was not asked for since the last call. */
  sweep(): void;
  stop(): Promise<void>;
  /** Objects that are followed. */
  readonly size: number;
}

interface Followed {
  readonly reflector: Reflector<DataObject>;
  asked: boolean;
}

/**
 * Each object costs a watch of its own, so that a right to these names is enough; a namespace is never listed. Many modules
 * belong into labelled objects or a registry.
 */
const MAX_OBJECTS = 256;
const PATIENCE = 5000;

export function createDataModuleSource(options: DataModuleSourceOptions): DataModuleSource {
  const { kind, reflect, runtime, patience = PATIENCE } = options;
  const followed = new Map<string, Followed>();
  const listeners = new Set<() => void>();

  function follow(namespace: string, name: string): Followed | Fault {
    const key = `${namespace}/${name}`;
    const known = followed.get(key);
    if (known !== undefined) {
      known.asked = true;
      return known;
    }
    if (followed.size >= MAX_OBJECTS) {
      return new Fault(
        'PC_MODULE_SOURCE',
        `policies refer to more than ${MAX_OBJECTS} ${kind.resource.plural}: put modules of one release together, or into a registry`,
      );
    }
    const reflector = reflect<DataObject>({
      resource: kind.resource,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      project: toDataObject,
    });
    reflector.subscribe((change) => {
      if (change.type === 'changed' && change.before.version === change.value.version) return;
      for (const listener of listeners) listener();
    });
    reflector.start();
    const made = { reflector, asked: true };
    followed.set(key, made);
    return made;
  }

  /** The object as it is, as far as can be seen in time. */
  async function find(
    policy: Policy,
  ): Promise<{ readonly object: DataObject; readonly key: string } | Fault> {
    const reference = referenceOf(policy, kind);
    const namespace = reference.namespace ?? options.namespace;
    const found = follow(namespace, reference.name);
    if (found instanceof Fault) return found;
    const { reflector } = found;
    if (!reflector.state().synced) await Promise.race([reflector.synced, pause(runtime, patience)]);
    const object = reflector.get(`${namespace}/${reference.name}`);
    if (object !== undefined) return { object, key: reference.key };
    const location = locationOf({ kind: kind.resource.kind, namespace, name: reference.name });
    const { problem, synced } = reflector.state();
    if (!synced && problem !== undefined) {
      return new Fault('PC_MODULE_MISSING', `${location} cannot be read: ${problem.message}`, {
        cause: problem,
      });
    }
    return new Fault(
      'PC_MODULE_MISSING',
      synced ? `there is no ${location}` : `${location} was not told in time`,
    );
  }

  return {
    place: kind.place,

    async version(policy) {
      const found = await find(policy);
      return found instanceof Fault ? undefined : `${found.object.version} ${found.key}`;
    },

    async fetch(policy) {
      const found = await find(policy);
      return found instanceof Fault ? found : moduleIn(found.object, found.key);
    },

    watch(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },

    sweep() {
      for (const [key, entry] of followed) {
        if (!entry.asked) {
          followed.delete(key);
          void entry.reflector.stop();
        }
        entry.asked = false;
      }
    },

    async stop() {
      await Promise.all(Array.from(followed.values(), ({ reflector }) => reflector.stop()));
    },

    get size() {
      return followed.size;
    },
  };
}

function referenceOf({ spec }: Policy, { place }: DataKind): KeyReference {
  const reference = spec.module[place];
  if (reference === undefined) throw new TypeError(`a policy without \`module.${place}\``);
  return reference;
}

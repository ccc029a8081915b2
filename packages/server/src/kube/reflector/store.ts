import { objectKey, type KubeObject } from '../kube-object.ts';
import type { ReflectorChange } from './reflector-types.ts';

interface Entry<T> {
  readonly value: T;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

/** What is known of a collection. Tells every change after it was made. */
export interface Store<T> {
  readonly size: number;
  get(key: string): T | undefined;
  items(): IterableIterator<readonly [string, T]>;
  put(object: KubeObject): void;
  remove(object: KubeObject): void;
  /** A set beside this one, for a list that is still coming. */
  stage(): Stage;
}

export interface Stage {
  put(object: KubeObject): void;
  remove(object: KubeObject): void;
  /** Takes the place of the store's set, at once. */
  commit(): void;
}

export function createStore<T>(
  project: (object: KubeObject) => T | undefined,
  tell: (change: ReflectorChange<T>) => void,
): Store<T> {
  let entries = new Map<string, Entry<T>>();

  /** The old entry when the object is the same, so that a list that repeats everything costs nothing and tells nothing. */
  const entryOf = (key: string, object: KubeObject): Entry<T> | undefined => {
    const { uid, resourceVersion } = object.metadata;
    const old = entries.get(key);
    if (old !== undefined && old.uid === uid && old.resourceVersion === resourceVersion) return old;
    const value = project(object);
    return value === undefined ? undefined : { value, uid, resourceVersion };
  };
  const tellDifference = (key: string, old: Entry<T> | undefined, entry: Entry<T> | undefined): void => {
    if (old === entry) return;
    if (entry === undefined) {
      if (old !== undefined) tell({ type: 'deleted', key, before: old.value });
    } else if (old === undefined) {
      tell({ type: 'added', key, value: entry.value });
    } else {
      tell({ type: 'changed', key, value: entry.value, before: old.value });
    }
  };
  const set = (key: string, entry: Entry<T> | undefined): void => {
    const old = entries.get(key);
    if (entry === undefined) entries.delete(key);
    else entries.set(key, entry);
    tellDifference(key, old, entry);
  };

  return {
    get size() {
      return entries.size;
    },
    get: (key) => entries.get(key)?.value,
    *items() {
      for (const [key, { value }] of entries) yield [key, value];
    },
    put(object) {
      const key = objectKey(object.metadata);
      set(key, entryOf(key, object));
    },
    remove: (object) => set(objectKey(object.metadata), undefined),
    stage() {
      const staged = new Map<string, Entry<T>>();
      return {
        put(object) {
          const key = objectKey(object.metadata);
          const entry = entryOf(key, object);
          if (entry === undefined) staged.delete(key);
          else staged.set(key, entry);
        },
        remove: (object) => void staged.delete(objectKey(object.metadata)),
        commit() {
          const old = entries;
          entries = staged;
          // What vanished first, for names may have moved.
          for (const [key, entry] of old) if (!staged.has(key)) tellDifference(key, entry, undefined);
          for (const [key, entry] of staged) tellDifference(key, old.get(key), entry);
          tell({ type: 'synced' });
        },
      };
    },
  };
}

import type { JsonObject, JsonValue } from '@portcullis/contract';
import { isJsonArray, isJsonObject } from '../json/json-equal.ts';

export type Container = JsonObject | readonly JsonValue[];
type OwnContainer = Record<string, JsonValue> | JsonValue[];

export function isContainer(value: JsonValue | undefined): value is Container {
  return isJsonObject(value) || isJsonArray(value);
}

/**
 * A document under change: containers are copied when they are first written to, so that the original and everything that
 * patches brought in stay as they were.
 */
export class JsonDraft {
  root: JsonValue;
  /** Elements and members that were copied or shifted so far: the measure of the work done. */
  work = 0;
  readonly #own = new WeakSet<object>();

  constructor(root: JsonValue) {
    this.root = root;
  }

  /** The container at the end of the path, writable; undefined when the path leads nowhere or to a scalar. */
  writable(path: readonly string[]): OwnContainer | undefined {
    if (!isContainer(this.root)) return undefined;
    let container = this.#owned(this.root);
    this.root = container;
    for (const token of path) {
      const child = childOf(container, token);
      if (!isContainer(child)) return undefined;
      const owned = this.#owned(child);
      if (owned !== child) setMember(container, token, owned);
      container = owned;
    }
    return container;
  }

  #owned(container: Container): OwnContainer {
    if (this.#own.has(container)) return container as OwnContainer;
    const copy = isJsonArray(container) ? [...container] : ({ ...container } as Record<string, JsonValue>);
    this.work += isJsonArray(container) ? container.length : Object.keys(container).length;
    this.#own.add(copy);
    return copy;
  }
}

/** Undefined when there is no such member or element. */
export function childOf(container: Container, token: string): JsonValue | undefined {
  if (isJsonArray(container)) return INDEX.test(token) ? container[Number(token)] : undefined;
  return Object.hasOwn(container, token) ? container[token] : undefined;
}

const INDEX = /^(?:0|[1-9]\d{0,14})$/;

/** `__proto__` has to be defined: assigning it would set the prototype. */
export function setMember(container: OwnContainer, token: string, value: JsonValue): void {
  if (Array.isArray(container)) container[Number(token)] = value;
  else if (token !== '__proto__') container[token] = value;
  else
    Object.defineProperty(container, token, { value, writable: true, enumerable: true, configurable: true });
}

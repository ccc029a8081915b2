import type { JsonDocument, JsonObject, JsonValue } from '@portcullis/contract';
import { isRawNumber } from '../../kernel/json/exact-json.ts';

/** A value as the CEL library takes it: integers as bigint, fractions as number, objects as Map. */
export type CelValue =
  null | boolean | bigint | number | string | readonly CelValue[] | ReadonlyMap<string, CelValue>;

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;

/** Objects are converted key by key when an expression reads them: a large object costs only what is looked at. */
export function toCelValue(value: JsonValue | undefined): CelValue {
  if (value === undefined || value === null) return null;
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? integer(value, () => BigInt(value)) : value;
    case 'object':
      if (Array.isArray(value)) return (value as readonly JsonValue[]).map(toCelValue);
      return isRawNumber(value) ? rawNumber(value.rawJSON) : new JsonMap(value as JsonObject);
    default:
      return value;
  }
}

/** Documents are immutable and asked about by many policies: each is converted once. */
export function celValueOf(document: JsonDocument | undefined): CelValue {
  if (document === undefined) return null;
  let value = converted.get(document);
  if (value === undefined) {
    value = toCelValue(document.value());
    converted.set(document, value);
  }
  return value;
}

const converted = new WeakMap<JsonDocument, CelValue>();

function rawNumber(source: string): CelValue {
  return /^-?\d+$/.test(source) ? integer(Number(source), () => BigInt(source)) : Number(source);
}

/** Beyond 64 bits CEL has only doubles. */
function integer(near: number, exact: () => bigint): bigint | number {
  if (Math.abs(near) > 1e19) return near;
  const value = exact();
  return value >= MIN_INT && value <= MAX_INT ? value : near;
}

/**
 * A JSON object as a Map. A plain object would not do: the library looks at `constructor` to tell types, and a request may
 * have a key of that name.
 */
export class JsonMap extends Map<string, CelValue> {
  readonly source: JsonObject;
  #keys: readonly string[] | undefined;

  static {
    // The library knows Maps by their constructor.
    Object.defineProperty(this.prototype, 'constructor', { value: Map });
  }

  constructor(source: JsonObject) {
    super();
    this.source = source;
  }

  get #names(): readonly string[] {
    this.#keys ??= Object.keys(this.source);
    return this.#keys;
  }

  override get size(): number {
    return this.#names.length;
  }

  override has(key: string): boolean {
    return Object.hasOwn(this.source, key);
  }

  override get(key: string): CelValue | undefined {
    const known = super.get(key);
    if (known !== undefined || typeof key !== 'string' || !this.has(key)) return known;
    const value = toCelValue(this.source[key]);
    super.set(key, value);
    return value;
  }

  override keys(): MapIterator<string> {
    return this.#names.values();
  }

  override *values(): MapIterator<CelValue> {
    for (const key of this.#names) yield this.get(key) ?? null;
  }

  override *entries(): MapIterator<[string, CelValue]> {
    for (const key of this.#names) yield [key, this.get(key) ?? null];
  }

  override [Symbol.iterator](): MapIterator<[string, CelValue]> {
    return this.entries();
  }
}

import type { JsonObject, JsonValue } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { isJsonObject } from '../../kernel/json/json-equal.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';

/** The value of the entry point in `[{"result": value}]`; `[]` says that it has none, and that is never an answer. */
export function parseResult(bytes: Uint8Array): JsonValue | Fault {
  const set = parseJson(bytes);
  if (isFault(set)) return unreadable(`its answer is not JSON: ${set.message}`);
  if (!Array.isArray(set)) return unreadable('its answer is no list of results');
  if (set.length === 0) return unreadable('its entry point is undefined for this review');
  const first = (set as readonly JsonValue[])[0];
  const result = first !== undefined && isJsonObject(first) ? first['result'] : undefined;
  return result ?? unreadable('its answer has no `result`');
}

export function unreadable(why: string): Fault {
  return new Fault('PC_OPA_RESULT', why);
}

/** A member of the wanted type; null reads as absent, another type is a fault, never a guess. */
export function read<T extends JsonValue>(
  object: JsonObject,
  key: string,
  is: (value: JsonValue) => value is T,
  what: string,
): T | undefined | Fault {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  if (value === undefined || value === null) return undefined;
  return is(value) ? value : unreadable(`\`${key}\` of its answer must be ${what}`);
}

export function isText(value: JsonValue): value is string {
  return typeof value === 'string';
}

export function isFlag(value: JsonValue): value is boolean {
  return typeof value === 'boolean';
}

export function isTexts(value: JsonValue): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

export function isTextMap(value: JsonValue): value is Readonly<Record<string, string>> {
  return isJsonObject(value) && Object.values(value).every((item) => typeof item === 'string');
}

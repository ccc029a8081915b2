import type { JsonObject, JsonValue } from '@portcullis/contract';
import { canonicalDecimal } from './decimal.ts';
import { isRawNumber } from './exact-json.ts';

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

export function isJsonArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Equality by value: the order of keys and the spelling of numbers do not count. Bears any depth. */
export function jsonEqual(left: JsonValue, right: JsonValue): boolean {
  const pending: JsonValue[] = [left, right];
  while (pending.length > 0) {
    const b = pending.pop() as JsonValue;
    const a = pending.pop() as JsonValue;
    if (a === b) continue;
    if (isJsonArray(a) && isJsonArray(b)) {
      if (a.length !== b.length) return false;
      for (let index = 0; index < a.length; index++) {
        pending.push(a[index] as JsonValue, b[index] as JsonValue);
      }
    } else if (isJsonObject(a) && isJsonObject(b)) {
      if (!pushMembers(a, b, pending)) return false;
    } else if (!scalarsEqual(a, b)) {
      return false;
    }
  }
  return true;
}

function pushMembers(a: JsonObject, b: JsonObject, pending: JsonValue[]): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return false;
    pending.push(a[key] as JsonValue, b[key] as JsonValue);
  }
  return true;
}

function scalarsEqual(a: JsonValue, b: JsonValue): boolean {
  if (typeof a === 'number' && typeof b === 'number') return false;
  const left = decimalOf(a);
  return left !== undefined && left === decimalOf(b);
}

/** Undefined for what is not a number; equal doubles have been told before. */
function decimalOf(value: JsonValue): string | undefined {
  if (typeof value === 'number') return canonicalDecimal(String(value));
  return isRawNumber(value) ? canonicalDecimal(value.rawJSON) : undefined;
}

import type { JsonValue } from '@portcullis/contract';
import { Fault, isFault } from '../fault.ts';
import { isRawNumber } from '../json/exact-json.ts';
import { isJsonArray, isJsonObject } from '../json/json-equal.ts';
import { setMember } from './json-draft.ts';

/** What may still be copied; counted down. */
export interface CopyBudget {
  bytes: number;
}

/** An independent copy. A fault when it costs more than is left, or is nested more deeply than `depth` levels. */
export function copyJson(value: JsonValue, budget: CopyBudget, depth: number): JsonValue | Fault {
  budget.bytes -= sizeOf(value);
  if (budget.bytes < 0) return new Fault('PC_PATCH_LIMIT', 'the copies of the patch are too large together');
  if (isJsonArray(value)) return copyArray(value, budget, depth);
  if (!isJsonObject(value)) return value;
  if (depth === 0) return tooDeep();
  const copy: Record<string, JsonValue> = {};
  for (const key of Object.keys(value)) {
    budget.bytes -= key.length + 4;
    const member = copyJson(value[key] as JsonValue, budget, depth - 1);
    if (isFault(member)) return member;
    setMember(copy, key, member);
  }
  return copy;
}

function copyArray(array: readonly JsonValue[], budget: CopyBudget, depth: number): JsonValue | Fault {
  if (depth === 0) return tooDeep();
  const copy: JsonValue[] = [];
  for (const element of array) {
    const item = copyJson(element, budget, depth - 1);
    if (isFault(item)) return item;
    copy.push(item);
  }
  return copy;
}

export function isWithinDepth(value: JsonValue, depth: number): boolean {
  if (isJsonArray(value)) return depth > 0 && value.every((element) => isWithinDepth(element, depth - 1));
  if (!isJsonObject(value)) return true;
  return depth > 0 && Object.keys(value).every((key) => isWithinDepth(value[key] as JsonValue, depth - 1));
}

function tooDeep(): Fault {
  return new Fault('PC_PATCH_LIMIT', 'a copied value is nested too deeply');
}

/** About the bytes of the value as text, its members apart. */
function sizeOf(value: JsonValue): number {
  if (typeof value === 'string') return value.length + 3;
  return isRawNumber(value) ? value.rawJSON.length : 4;
}

import type { JsonObject, JsonPatch, JsonPatchOperation, JsonValue } from '@portcullis/contract';
import { isJsonArray, isJsonObject, jsonEqual } from '../json/json-equal.ts';
import { createEffort, type Effort } from './align-alike.ts';
import { type Alignment, alignArrays } from './align-arrays.ts';
import { formatPointer } from './json-pointer.ts';

/** The operations that make one value of the other: `add`, `remove` and `replace` in strict form, changed paths only. */
export function diffJson(before: JsonValue, after: JsonValue): JsonPatch {
  const diff: Diff = { patch: [], effort: createEffort() };
  diffValue(before, after, '', diff);
  return diff.patch;
}

interface Diff {
  readonly patch: JsonPatchOperation[];
  readonly effort: Effort;
}

function diffValue(before: JsonValue, after: JsonValue, path: string, diff: Diff): void {
  if (before === after) return;
  if (isJsonObject(before) && isJsonObject(after)) diffObject(before, after, path, diff);
  else if (isJsonArray(before) && isJsonArray(after)) diffArray(before, after, path, diff);
  else if (!jsonEqual(before, after)) diff.patch.push({ op: 'replace', path, value: after });
}

function diffObject(before: JsonObject, after: JsonObject, path: string, diff: Diff): void {
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key)) diff.patch.push({ op: 'remove', path: path + formatPointer([key]) });
  }
  for (const key of Object.keys(after)) {
    const member = path + formatPointer([key]);
    const value = after[key] as JsonValue;
    if (Object.hasOwn(before, key)) diffValue(before[key] as JsonValue, value, member, diff);
    else diff.patch.push({ op: 'add', path: member, value });
  }
}

/** Changes inside kept elements first, while their indexes still hold; then removals from the end, then additions from the start. */
function diffArray(
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  path: string,
  diff: Diff,
): void {
  const alignment = alignArrays(before, after, diff.effort);
  if (!keepsOrder(alignment)) {
    if (!jsonEqual(before, after)) diff.patch.push({ op: 'replace', path, value: after });
    return;
  }
  for (const [index, old] of alignment.entries()) {
    if (old !== -1) diffValue(before[old] as JsonValue, after[index] as JsonValue, `${path}/${old}`, diff);
  }
  const kept = new Set(alignment);
  for (let old = before.length - 1; old >= 0; old--) {
    if (!kept.has(old)) diff.patch.push({ op: 'remove', path: `${path}/${old}` });
  }
  for (const [index, old] of alignment.entries()) {
    if (old === -1)
      diff.patch.push({ op: 'add', path: `${path}/${index}`, value: after[index] as JsonValue });
  }
}

/** Whether some elements are left and stand in the order that they had. */
function keepsOrder(alignment: Alignment): boolean {
  let last = -1;
  for (const old of alignment) {
    if (old === -1) continue;
    if (old < last) return false;
    last = old;
  }
  return last !== -1;
}

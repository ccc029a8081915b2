import type { JsonObject, JsonPatch, JsonValue } from '@portcullis/contract';
import { Fault, isFault } from '../fault.ts';
import { isJsonObject, jsonEqual } from '../json/json-equal.ts';
import { applyJsonPatch, MAX_PATCHED_DEPTH } from './apply-json-patch.ts';
import { isWithinDepth } from './copy-json.ts';
import { diffJson } from './diff-json.ts';
import { describeKept, type Kept, mergeReturned } from './merge-returned.ts';

export interface DiffOptions {
  /**
   * What a field means that the policy did not return, where it cannot be told whether it was removed or lost. `protect`: it
   * stays. `refuse`: a fault. `honour`: the answer is taken as it is, every removal and null included.
   */
  readonly removals: 'protect' | 'refuse' | 'honour';
  /** JSON pointers, `*` for any one token, of fields that the policy may remove. A pointer that is none is a TypeError. */
  readonly removable?: readonly string[];
}

export interface Difference extends Kept {
  /** `add`, `remove` and `replace` only; empty when nothing changed. */
  readonly patch: JsonPatch;
}

/** The patch from an object to the complete new one that a policy returned. Both are parsed exactly; neither is changed. */
export function diffToPatch(
  before: JsonValue,
  after: JsonValue,
  { removals, removable = [] }: DiffOptions,
): Difference | Fault {
  if (!isJsonObject(before) || !isJsonObject(after)) return unusable('the new object is not an object');
  if (!isWithinDepth(after, MAX_PATCHED_DEPTH) || !isWithinDepth(before, MAX_PATCHED_DEPTH)) {
    return new Fault('PC_PATCH_LIMIT', `the object has more than ${MAX_PATCHED_DEPTH} levels of nesting`);
  }
  const returned = withIdentity(before, after);
  if (isFault(returned)) return returned;

  const { value, kept, keptUnnamed } =
    removals === 'honour'
      ? { value: returned, kept: [], keptUnnamed: 0 }
      : mergeReturned(before, returned, removable);
  if (removals === 'refuse' && kept.length > 0) {
    const fields = describeKept({ kept, keptUnnamed });
    return unusable(`fields are missing from the new object: ${fields}; declare them as removable`);
  }
  const patch = diffJson(before, value);
  const applied = applyJsonPatch(before, patch);
  if (isFault(applied)) return applied;
  return jsonEqual(applied, value)
    ? { patch, kept, keptUnnamed }
    : new Fault('PC_INTERNAL', 'the difference of two objects does not lead from one to the other');
}

/** A policy may leave out what kind of object it was given, not change it. */
function withIdentity(before: JsonObject, after: JsonObject): JsonObject | Fault {
  let identified = after;
  for (const key of ['apiVersion', 'kind'] as const) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    const returned = Object.hasOwn(after, key) ? (after[key] ?? undefined) : undefined;
    if (returned === undefined) {
      if (old !== undefined) identified = { ...identified, [key]: old };
    } else if (returned !== old) {
      return unusable(`the new object has another \`${key}\``);
    }
  }
  return identified;
}

function unusable(message: string): Fault {
  return new Fault('PC_PLUGIN_MUTATION', message);
}

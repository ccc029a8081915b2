import type { JsonPatch, JsonValue, Mutation, MutationRules, Review, Verdict } from '@portcullis/contract';
import { Fault, isFault } from '../kernel/fault.ts';
import { applyJsonPatch, MAX_PATCHED_DEPTH } from '../kernel/json-patch/apply-json-patch.ts';
import { checkEmission } from '../kernel/json-patch/check-emission.ts';
import { isWithinDepth } from '../kernel/json-patch/copy-json.ts';
import { diffJson } from '../kernel/json-patch/diff-json.ts';
import { diffToPatch } from '../kernel/json-patch/diff-to-patch.ts';
import { describeKept } from '../kernel/json-patch/merge-returned.ts';

/** What a mutation makes of an object: operations that the API server applies as we do, and the object after them. */
export interface Mutated {
  /** Empty when nothing changed, and there is a warning about what stayed. */
  readonly patch: JsonPatch;
  readonly object: JsonValue;
  readonly warnings: readonly string[];
  /** How many fields the policy did not return and that stayed. */
  readonly keptFields: number;
}

const PROTECT: MutationRules = { removals: 'protect', removable: [] };

/**
 * Undefined when the mutation changes nothing. `rules` are those of the policy for complete objects. Never throws: what a guest
 * answers must not end the review of all the others.
 */
export function applyMutation(
  review: Review,
  mutation: Mutation,
  rules: MutationRules = PROTECT,
): Mutated | undefined | Fault {
  if (review.object === undefined) {
    return new Fault('PC_PATCH_APPLY', `a ${review.operation} has no object that could be changed`);
  }
  try {
    const before = review.object.value();
    if (review.isRaw === true) return applyToAny(before, mutation);
    return 'patch' in mutation
      ? applyPatch(before, mutation.patch)
      : applyObject(before, mutation.object, rules);
  } catch (error) {
    return new Fault('PC_INTERNAL', 'the mutation could not be applied', { cause: error });
  }
}

function applyPatch(before: JsonValue, patch: JsonPatch): Mutated | undefined | Fault {
  const object = applyJsonPatch(before, patch);
  if (isFault(object)) return object;
  // What the API server would read differently from the standard is told it in other words.
  const emitted = isFault(checkEmission(patch))
    ? diffToPatch(before, object, { removals: 'honour' })
    : { patch };
  if (isFault(emitted)) return emitted;
  return emitted.patch.length === 0
    ? undefined
    : { patch: emitted.patch, object, warnings: [], keptFields: 0 };
}

function applyObject(before: JsonValue, after: JsonValue, rules: MutationRules): Mutated | undefined | Fault {
  const difference = diffToPatch(before, after, rules);
  if (isFault(difference)) return difference;
  const { patch, kept, keptUnnamed } = difference;
  const keptFields = kept.length + keptUnnamed;
  if (patch.length === 0 && keptFields === 0) return undefined;
  const object = applyJsonPatch(before, patch);
  if (isFault(object)) return object;
  const warnings =
    keptFields === 0 ? [] : [`kept fields not returned by the policy: ${describeKept(difference)}`];
  return { patch, object, warnings, keptFields };
}

/** Of any JSON nothing is known: what a policy gives back is the whole of it, and no rule of Kubernetes holds. */
function applyToAny(before: JsonValue, mutation: Mutation): Mutated | undefined | Fault {
  if ('object' in mutation && !isWithinDepth(mutation.object, MAX_PATCHED_DEPTH)) {
    return new Fault('PC_PATCH_LIMIT', `the answer has more than ${MAX_PATCHED_DEPTH} levels of nesting`);
  }
  const patch = 'patch' in mutation ? mutation.patch : diffJson(before, mutation.object);
  const object = applyJsonPatch(before, patch);
  if (isFault(object)) return object;
  return patch.length === 0 ? undefined : { patch, object, warnings: [], keptFields: 0 };
}

/** The verdict without its mutation, plus what was noticed while it was applied. */
export function withoutMutation(verdict: Verdict, warnings: readonly string[]): Verdict {
  if (verdict.outcome !== 'allow') return verdict;
  const { mutation: _applied, ...rest } = verdict;
  return warnings.length === 0 ? rest : { ...rest, warnings: [...rest.warnings, ...warnings] };
}

import type { MutationRules, Phase, Remarks, Review, Verdict } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { jsonEqual } from '../../kernel/json/json-equal.ts';
import { diffToPatch } from '../../kernel/json-patch/diff-to-patch.ts';
import type { KubewardenMetadata } from './kubewarden-metadata.ts';
import type { KubewardenOutput } from './kubewarden-output.ts';

export interface Asked {
  readonly review: Review;
  readonly phase: Phase;
  readonly policy: string;
  readonly policyType: KubewardenMetadata['policyType'];
  readonly rules?: MutationRules;
}

const NO_OBJECT =
  'Incoming object is null, which happens only with DELETE operations, but the policy is attempting a mutation. This is not allowed';
const WHOLE_REQUEST = new Fault(
  'PC_KUBEWARDEN_OUTPUT',
  'a policy for raw requests changes the whole request, and nobody who sends an AdmissionReview can take that',
);
const PROTECT: MutationRules = { removals: 'protect', removable: [] };

/** What an answer means. A mutation next to a denial is dropped. */
export function kubewardenVerdict(output: KubewardenOutput, asked: Asked): Verdict {
  const { accepted, message, code, mutatedObject, warnings, auditAnnotations } = output;
  const remarks: Remarks = { warnings, auditAnnotations };
  if (!accepted)
    return denial(message || `the policy \`${asked.policy}\` rejected the request`, remarks, code);
  const allowed = {
    outcome: 'allow',
    ...remarks,
    ...(message ? { message } : {}),
    ...(code === undefined ? {} : { code }),
  } as const;
  if (mutatedObject === undefined) return allowed;
  if (asked.policyType === 'raw' && asked.review.isRaw !== true) {
    // What it gives back is a whole request, of which only the object could be changed.
    return jsonEqual(mutatedObject, asked.review.request.value()) ? allowed : kubewardenFault(WHOLE_REQUEST);
  }
  const { object } = asked.review;
  if (object === undefined) return denial(NO_OBJECT, remarks);
  if (asked.phase === 'mutate') return { ...allowed, mutation: { object: mutatedObject } };
  // Guests that may mutate answer with the object as it was where they had nothing to change.
  const difference = diffToPatch(object.value(), mutatedObject, asked.rules ?? PROTECT);
  if (isFault(difference)) return kubewardenFault(difference);
  if (difference.patch.length === 0) return allowed;
  const refused = `Request rejected by policy ${asked.policy}. The policy attempted to mutate the request, but it is currently configured to not allow mutations.`;
  return denial(refused, remarks);
}

/** A code that is no HTTP status of an error says nothing about a denial. */
function denial(message: string, remarks: Remarks, code = 0): Verdict {
  const isStatus = code >= 400 && code <= 599;
  return { outcome: 'deny', message, ...(isStatus ? { code } : {}), causes: [], ...remarks };
}

export function kubewardenFault({ code, message }: Fault): Verdict {
  return { outcome: 'fault', code, message };
}

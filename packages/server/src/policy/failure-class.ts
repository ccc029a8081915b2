import type { FailurePolicy, Policy } from '@portcullis/contract';

/**
 * What it means to a request that the policy would judge when nobody answers at all: a policy that never denies must not block
 * anything while the server is down either, whatever its own failure policy says about faults.
 */
export function failureClassOf({ spec }: Policy): FailurePolicy {
  return spec.mode === 'enforce' ? spec.failurePolicy : 'Ignore';
}

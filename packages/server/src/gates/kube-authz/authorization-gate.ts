import type { Chain } from '../../chain/chain.ts';
import { createAccessGate, type AccessGateOptions } from '../access-gate.ts';
import type { Gate } from '../gate.ts';
import { encodeAccessReview, refuseAccessReview } from './encode-access-review.ts';
import { parseAccessReview } from './parse-access-review.ts';

export interface AuthorizationGateOptions extends AccessGateOptions {
  readonly decide: Chain['decideAccess'];
}

/** SubjectAccessReview v1 and v1beta1. */
export function createAuthorizationGate({ decide, ...options }: AuthorizationGateOptions): Gate {
  return createAccessGate(
    {
      gate: 'authorization',
      parse: parseAccessReview,
      decide: ({ review }, asking) => decide(review, asking),
      encode: encodeAccessReview,
      refusal: refuseAccessReview,
    },
    options,
  );
}

import type { Chain } from '../../chain/chain.ts';
import { createAccessGate, type AccessGateOptions } from '../access-gate.ts';
import type { Gate } from '../gate.ts';
import { encodeTokenReview, refuseTokenReview } from './encode-token-review.ts';
import { parseTokenReview } from './parse-token-review.ts';

export interface AuthenticationGateOptions extends AccessGateOptions {
  readonly decide: Chain['decideAccess'];
  /** Audiences of the API server, for tokens whose policy names none; absent: the API server compares them itself. */
  readonly audiences?: readonly string[];
}

/** TokenReview v1 and v1beta1. */
export function createAuthenticationGate({
  decide,
  audiences = [],
  ...options
}: AuthenticationGateOptions): Gate {
  return createAccessGate(
    {
      gate: 'authentication',
      parse: parseTokenReview,
      decide: ({ review, audiences: wanted }, asking) =>
        decide(review, { ...asking, audiences: { wanted, own: audiences } }),
      encode: encodeTokenReview,
      refusal: refuseTokenReview,
    },
    options,
  );
}

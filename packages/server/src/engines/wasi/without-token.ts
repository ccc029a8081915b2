import type { Review } from '@portcullis/contract';
import { createTokenHider, tokenOf } from '../../policy/review-token.ts';

/** A text of a guest's without the token that it was asked about. */
export function withoutToken(text: string, review: Review): string {
  const token = tokenOf(review);
  return token === undefined ? text : createTokenHider(token)(text);
}

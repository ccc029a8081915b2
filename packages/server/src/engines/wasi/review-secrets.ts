import type { Review } from '@portcullis/contract';
import { createTokenHider, tokenOf } from '../../policy/review-token.ts';

/** Whether what a guest prints of its request could be a token or the content of a Secret. */
export function holdsSecret({ gate, resource }: Review): boolean {
  return gate === 'authentication' || (resource.group === '' && resource.resource === 'secrets');
}

/** A text of a guest's without the token that it was asked about. */
export function withoutToken(text: string, review: Review): string {
  const token = tokenOf(review);
  return token === undefined ? text : createTokenHider(token)(text);
}

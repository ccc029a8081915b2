import type { Review } from '@portcullis/contract';
import { isAccessGate } from '../access-gate.ts';
import { accessRequest } from './access-request.ts';
import { celValueOf, type CelValue } from './cel-value.ts';

/** What expressions may name. */
export const CEL_VARIABLES = ['object', 'oldObject', 'request'] as const;

export type CelVariables = Readonly<Record<(typeof CEL_VARIABLES)[number], CelValue>>;

/** Read, and so parsed, only when an expression names them. `object` is null on DELETE, `oldObject` on CREATE and CONNECT. */
export function reviewVariables(review: Review): CelVariables {
  return {
    get object() {
      return celValueOf(review.object);
    },
    get oldObject() {
      return celValueOf(review.oldObject);
    },
    get request() {
      return isAccessGate(review.gate) ? accessRequest(review) : celValueOf(review.request);
    },
  };
}

import type { Decision } from '@portcullis/contract';
import { toText } from '../single-line.ts';
import type { ParsedAccessReview } from './parse-access-review.ts';

/** Characters of a text; the reason goes to the client and the audit log, the error to whoever asks for the review. */
const MAX_TEXT = 4096;

/** The answer in the version of the question; neither allowed nor denied is no opinion. */
export function encodeAccessReview(
  { outcome, message, error }: Decision,
  { version }: ParsedAccessReview,
): string {
  return encode(
    {
      allowed: outcome === 'allow',
      ...(outcome === 'deny' ? { denied: true } : {}),
      ...(message === undefined ? {} : { reason: toText(message, MAX_TEXT) }),
      ...(error === undefined ? {} : { evaluationError: toText(error, MAX_TEXT) }),
    },
    version,
  );
}

export function refuseAccessReview(evaluationError: string): string {
  return encode({ allowed: false, evaluationError }, 'v1');
}

function encode(status: object, version: string): string {
  return JSON.stringify({
    apiVersion: `authorization.k8s.io/${version}`,
    kind: 'SubjectAccessReview',
    status,
  });
}

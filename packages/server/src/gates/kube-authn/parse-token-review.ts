import type { Review } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { jsonDocumentOf } from '../../kernel/json/json-document.ts';
import { readReviewDocument, type ReviewKind, type ReviewVersion } from '../review-document.ts';

export const TOKEN_REVIEW: ReviewKind = { group: 'authentication.k8s.io', kind: 'TokenReview' };

export interface ParsedTokenReview {
  readonly review: Review;
  readonly version: ReviewVersion;
  /** Those that the caller asks for; empty: it does not care. */
  readonly audiences: readonly string[];
}

/** Bytes: the largest tokens in use, of Kerberos, have as many. */
const MAX_TOKEN_BYTES = 64 * 1024;
const KIND = { group: TOKEN_REVIEW.group, version: 'v1', kind: TOKEN_REVIEW.kind };
const RESOURCE = { group: TOKEN_REVIEW.group, version: 'v1', resource: 'tokenreviews' };
const NOBODY = { username: '', groups: [], extra: {} };

/** One TokenReview. The document for guests has nothing but the token and the audiences, in version v1. */
export function parseTokenReview(
  body: Uint8Array,
  { uid, deadline }: { readonly uid: string; readonly deadline: number },
): ParsedTokenReview | Fault {
  const document = readReviewDocument(body, TOKEN_REVIEW);
  if (isFault(document)) return document;
  const { spec, version } = document;
  const token = spec.text('token');
  const audiences = spec.texts('audiences');
  if (spec.problem !== undefined) return spec.problem;
  if (token === '') return new Fault('PC_REVIEW_SPEC', '`spec.token` is missing or empty');
  if (token.length > MAX_TOKEN_BYTES || Buffer.byteLength(token) > MAX_TOKEN_BYTES) {
    return new Fault('PC_REVIEW_SPEC', `\`spec.token\` has more than ${MAX_TOKEN_BYTES} bytes`);
  }
  const request = jsonDocumentOf({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, ...(audiences.length === 0 ? {} : { audiences }) },
  });
  const review: Review = {
    gate: 'authentication',
    uid,
    operation: 'CREATE',
    kind: KIND,
    resource: RESOURCE,
    subresource: '',
    name: '',
    namespace: '',
    user: NOBODY,
    dryRun: false,
    request,
    deadline,
  };
  return { review, version, audiences };
}

import type { Fault } from '../../kernel/fault.ts';
import type { FaultCode } from '../../kernel/faults/catalogue.ts';
import type { GateResponse } from '../gate.ts';
import { JSON_HEADERS } from '../json-request.ts';
import { refusalStatus } from '../refusal-status.ts';
import type { AdmissionVersion } from './review-reader.ts';

export interface RefusedReview {
  readonly uid: string;
  readonly apiVersion: AdmissionVersion;
}

/**
 * The answer to what could not be decided: an AdmissionReview that refuses. Where the review is known it is answered with 200,
 * because any other status is a failed call, which the caller's failurePolicy may turn into an admission.
 */
export function refusal(fault: Fault, review?: RefusedReview): GateResponse {
  const [code, reason] = refusalStatus(fault.code);
  const prefix = code < 500 && code !== 404 ? 'Invalid admission request: ' : '';
  // What an unforeseen error says is for the log: it may quote anything.
  const text = fault.code === 'PC_INTERNAL' ? 'internal error of the policy server' : fault.message;
  const body = {
    apiVersion: review?.apiVersion ?? 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid: review?.uid ?? '',
      allowed: false,
      status: {
        code,
        message: `${prefix}${text}; ${fault.advice}`,
        reason,
        details: { causes: [{ reason: fault.code, message: text }] },
      },
    },
  };
  return { status: review === undefined ? code : 200, headers: JSON_HEADERS, body: JSON.stringify(body) };
}

/** What is no whole review is not answered as one. */
const NO_REVIEW: ReadonlySet<FaultCode> = new Set(['PC_REVIEW_JSON', 'PC_REVIEW_KIND']);

/** The review that a fault of the parser belongs to, as far as it is known. */
export function reviewOf(fault: Fault): RefusedReview | undefined {
  const { uid, apiVersion } = fault.data;
  if (NO_REVIEW.has(fault.code) || typeof uid !== 'string') return undefined;
  return { uid, apiVersion: apiVersion as AdmissionVersion };
}

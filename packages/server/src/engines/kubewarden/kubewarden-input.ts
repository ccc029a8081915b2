import type { JsonValue, Review } from '@portcullis/contract';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { stringifyExact } from '../../kernel/json/json-document.ts';
import { kubewardenRequest } from '../kubewarden-request.ts';
import type { KubewardenMetadata } from './kubewarden-metadata.ts';

/** `{"request": …, "settings": …}` in pieces. */
export type KubewardenInput = readonly Uint8Array[];

const HEAD = Buffer.from('{"request":');

/** The end of every input of one policy. */
export function inputTail(settings: JsonValue): Uint8Array {
  return Buffer.from(`,"settings":${settingsText(settings)}}`);
}

/** Settings that are not configured are `{}`. */
export function settingsText(settings: JsonValue): string {
  return stringifyExact(settings ?? {});
}

/** Faults: PC_REVIEW_…, for a request that cannot be read as one of an API server. */
export function kubewardenInput(
  review: Review,
  tail: Uint8Array,
  policyType: KubewardenMetadata['policyType'],
): KubewardenInput | Fault {
  const request = policyType === 'raw' ? review.request.bytes : kubewardenRequest(review);
  return isFault(request) ? request : [HEAD, request, tail];
}

import type { JsonValue, Review } from '@portcullis/contract';
import { stringifyExact } from '../../kernel/json/json-document.ts';

/** What a guest reads from standard input, in pieces: the request is the bytes that arrived, never parsed and written again. */
export type WasiInput = readonly Uint8Array[];

/** Where the request stands in the envelope. A review is sent whole; of the one for admission the gate keeps the inside. */
const HEAD = Buffer.from('{"request":');
const ADMISSION_HEAD = Buffer.from(
  '{"request":{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":',
);
const ADMISSION_END = Buffer.from('}');

/** The end of every input of one policy. Settings that are not configured are null, never `{}`: typed guests tell the two apart. */
export function inputTail(settings: JsonValue): Uint8Array {
  return Buffer.from(`,"settings":${stringifyExact(settings)}}`);
}

export function wasiInput(review: Review, tail: Uint8Array): WasiInput {
  const { bytes } = review.request;
  return review.gate === 'admission' ? [ADMISSION_HEAD, bytes, ADMISSION_END, tail] : [HEAD, bytes, tail];
}

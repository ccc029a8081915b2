import type { JsonValue, Review } from '@portcullis/contract';
import { jsonDocumentOf } from '../../kernel/json/json-document.ts';
import { exchangeObject } from './admission-request-document.ts';

/** The same review with another object; its bytes, alone and inside the request, are written when a guest wants them. */
export function withObject(review: Review, object: JsonValue): Review {
  const document = jsonDocumentOf(object);
  return { ...review, object: document, request: exchangeObject(review.request, document) };
}

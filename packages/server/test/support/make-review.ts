import type { JsonValue, Review } from '@portcullis/contract';
import { jsonDocumentOf } from '../../src/kernel/json/json-document.ts';

/** A review of a pod, for tests that start behind the gate. */
export function makeReview(
  object: JsonValue = { metadata: { name: 'web' } },
  changes: Partial<Review> = {},
): Review {
  return {
    gate: 'admission',
    uid: 'uid-1',
    operation: 'CREATE',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    resource: { group: '', version: 'v1', resource: 'pods' },
    subresource: '',
    name: 'web',
    namespace: 'default',
    user: { username: 'ana', groups: [], extra: {} },
    dryRun: false,
    object: jsonDocumentOf(object),
    request: jsonDocumentOf({ object }),
    deadline: Number.POSITIVE_INFINITY,
    ...changes,
  };
}

export function withObject(review: Review, object: JsonValue): Review {
  return { ...review, object: jsonDocumentOf(object), request: jsonDocumentOf({ object }) };
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '@portcullis/contract';
import { inputTail, wasiInput } from '../../../src/engines/wasi/wasi-input.ts';
import { parseJson } from '../../../src/kernel/json/parse-json.ts';
import { createJsonDocument } from '../../../src/kernel/json/json-document.ts';
import { makeReview } from '../../support/make-review.ts';
import { accessReview, tokenReview } from './support/guest.ts';

function textOf(review = makeReview(), settings: JsonValue = null): string {
  return Buffer.concat(wasiInput(review, inputTail(settings))).toString();
}

test('a review for admission stands whole in the envelope, with its bytes as they arrived', () => {
  const bytes = Buffer.from('{ "uid" : "uid-1", "object":{"n":12345678901234567890} }');
  const request = createJsonDocument(bytes);
  assert.equal(
    textOf(makeReview({}, { request })),
    `{"request":{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":${bytes.toString()}},"settings":null}`,
  );
});

test('the reviews of the other gates are sent as they are, with version and kind', () => {
  assert.equal(
    textOf(tokenReview('desk-42')),
    '{"request":{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"desk-42","audiences":["https://api.example.org"]}},"settings":null}',
  );
  assert.match(
    textOf(accessReview('get')),
    /^\{"request":\{"apiVersion":"authorization.k8s.io\/v1","kind":"SubjectAccessReview","spec":/,
  );
});

test('settings that are not configured are null, and configured ones are sent as they are', () => {
  const exact = parseJson(Buffer.from('{"limit":12345678901234567890,"ratio":1.0}')) as JsonValue;
  for (const [settings, text] of [
    [null, 'null'],
    [{}, '{}'],
    [[], '[]'],
    [false, 'false'],
    ['', '""'],
    [{ pod_name: 'é\u2028"' }, JSON.stringify({ pod_name: 'é\u2028"' })],
    [exact, '{"limit":12345678901234567890,"ratio":1}'],
  ] as const) {
    assert.ok(textOf(makeReview(), settings).endsWith(`,"settings":${text}}`), text);
  }
});

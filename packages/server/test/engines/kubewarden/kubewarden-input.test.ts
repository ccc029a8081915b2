import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonObject } from '@portcullis/contract';
import {
  inputTail,
  kubewardenInput,
  writeRequest,
} from '../../../src/engines/kubewarden/kubewarden-input.ts';
import { createJsonDocument } from '../../../src/kernel/json/json-document.ts';
import { makeReview } from '../../support/make-review.ts';

const written = (text: string): string => Buffer.from(writeRequest(Buffer.from(text))).toString();

/** As API servers send it. */
const REQUEST = `{"uid":"u-1","kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},
  "requestKind":{"group":"","version":"v1","kind":"Pod"},"requestResource":{"group":"","version":"v1","resource":"pods"},
  "name":"web","namespace":"default","operation":"CREATE","userInfo":{"username":"ana","uid":null,"groups":["a"],"extra":{"k":["v"]},"more":1},
  "object":{ "kind": "Pod", "spec": {"n": 12345678901234567890, "nothing": null} },"oldObject":null,"dryRun":false,"options":null,"later":{"a":1}}`;

test('what is null or unknown stays out, and values are the bytes that arrived', () => {
  assert.equal(
    written(REQUEST),
    '{"uid":"u-1","kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},' +
      '"requestKind":{"group":"","version":"v1","kind":"Pod"},"requestResource":{"group":"","version":"v1","resource":"pods"},' +
      '"name":"web","namespace":"default","operation":"CREATE","userInfo":{"username":"ana","groups":["a"],"extra":{"k":["v"]}},' +
      '"object":{ "kind": "Pod", "spec": {"n": 12345678901234567890, "nothing": null} },"dryRun":false}',
  );
});

test('requests with little in them', () => {
  assert.equal(written('{}'), '{}');
  assert.equal(written('{"userInfo":{}}'), '{"userInfo":{}}');
  assert.equal(written('{"userInfo":null,"kind":null}'), '{}');
  assert.equal(written('{"oldObject":{"a":1},"object":null}'), '{"oldObject":{"a":1}}');
});

test('every request is what a typed encoder would make of it', () => {
  const known = [
    'uid',
    'name',
    'namespace',
    'operation',
    'subResource',
    'object',
    'oldObject',
    'dryRun',
    'options',
  ];
  const value = fc.oneof(
    fc.constant(null),
    fc.string(),
    fc.boolean(),
    fc.dictionary(fc.string(), fc.string()),
  );
  const members = fc.dictionary(fc.oneof(fc.constantFrom(...known), fc.string()), value);
  fc.assert(
    fc.property(members, (request) => {
      const expected = Object.fromEntries(
        Object.entries(request).filter(([key, member]) => known.includes(key) && member !== null),
      );
      assert.deepEqual(JSON.parse(written(JSON.stringify(request))), JSON.parse(JSON.stringify(expected)));
    }),
    { numRuns: 300, seed: 7 },
  );
});

test('the document: settings are `{}` when there are none, and raw policies get the request as it is', () => {
  const review = makeReview(undefined, { request: createJsonDocument(Buffer.from('{ "user": null }')) });
  const document = (settings: JsonObject | null, type: 'kubernetes' | 'raw'): string =>
    Buffer.concat(kubewardenInput(review, inputTail(settings), type)).toString();
  assert.equal(document(null, 'kubernetes'), '{"request":{},"settings":{}}');
  assert.equal(document({ a: [1] }, 'raw'), '{"request":{ "user": null },"settings":{"a":[1]}}');
});

test('the request of one review is written once', () => {
  const review = makeReview();
  const [, first] = kubewardenInput(review, inputTail(null), 'kubernetes');
  const [, second] = kubewardenInput(review, inputTail({}), 'kubernetes');
  assert.equal(first, second);
});

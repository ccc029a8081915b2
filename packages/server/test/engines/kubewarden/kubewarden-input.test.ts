import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonObject, JsonValue } from '@portcullis/contract';
import { inputTail, kubewardenInput } from '../../../src/engines/kubewarden/kubewarden-input.ts';
import { writeRequest } from '../../../src/engines/kubewarden-request.ts';
import { isFault } from '../../../src/kernel/fault.ts';
import { createJsonDocument } from '../../../src/kernel/json/json-document.ts';
import { makeReview } from '../../support/make-review.ts';

function written(text: string): string {
  const request = writeRequest(Buffer.from(text));
  return isFault(request) ? `${request.code}: ${request.message}` : Buffer.from(request).toString();
}

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

test('what is no object where one has to be is a fault, not left out', () => {
  const request = (change: object): string => written(JSON.stringify({ uid: 'u', ...change }));
  for (const value of ['Pod', '', 1, [], [{ kind: 'Pod' }], true]) {
    for (const key of ['kind', 'resource', 'requestKind', 'requestResource', 'userInfo']) {
      assert.equal(
        request({ [key]: value }),
        `PC_REVIEW_REQUEST: the request cannot be read: \`request.${key}\` is no object`,
      );
    }
  }
  for (const whole of ['1', '[]', '[{"uid":"u"}]', '"x"', 'null', 'true']) {
    assert.equal(written(whole), 'PC_REVIEW_REQUEST: the request cannot be read: it is no object');
  }
  for (const broken of ['', '{', '{"uid":}', '{"kind":{"kind":"Pod"}', '{"a":1,"a":2}', '\ud800']) {
    assert.match(written(broken), /^PC_REVIEW_/);
  }
});

test('property: whatever is sent, it is a fault or all of what is known, and never an exception', () => {
  const fields: Readonly<Record<string, readonly string[] | undefined>> = {
    uid: undefined,
    kind: ['group', 'version', 'kind'],
    requestKind: ['group', 'version', 'kind'],
    resource: ['group', 'version', 'resource'],
    userInfo: ['username', 'uid', 'groups', 'extra'],
    object: undefined,
    options: undefined,
  };
  const hostile = fc.oneof(
    fc.constant(null),
    fc.jsonValue({ maxDepth: 3 }),
    fc.dictionary(
      fc.constantFrom('group', 'version', 'kind', 'username', 'more'),
      fc.jsonValue({ maxDepth: 1 }),
    ),
  );
  const requests = fc.oneof(
    fc.dictionary(fc.constantFrom(...Object.keys(fields), 'other'), hostile),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(requests, fc.nat(3), (request, cut) => {
      const text = JSON.stringify(request);
      const given = Buffer.from(cut === 0 ? text.slice(0, -1) : text);
      const answer = writeRequest(given);
      if (isFault(answer)) return;
      assert.deepEqual(
        JSON.parse(Buffer.from(answer).toString()),
        typed(JSON.parse(given.toString()) as JsonObject, fields),
      );
    }),
    { numRuns: 2000, seed: 11 },
  );
});

/** Of an object what is known of it, as a typed encoder would write it. */
function typed(
  value: JsonObject,
  fields: Readonly<Record<string, readonly string[] | undefined>>,
): JsonObject {
  const present = Object.entries(value).filter(
    ([key, inner]) => Object.hasOwn(fields, key) && inner !== null,
  );
  return Object.fromEntries(
    present.map(([key, inner = null]): [string, JsonValue] => {
      const names = fields[key];
      if (names === undefined) return [key, inner];
      return [key, typed(inner as JsonObject, Object.fromEntries(names.map((name) => [name, undefined])))];
    }),
  );
}

test('the document: settings are `{}` when there are none, and raw policies get the request as it is', () => {
  const review = makeReview(undefined, { request: createJsonDocument(Buffer.from('{ "user": null }')) });
  const document = (settings: JsonObject | null, type: 'kubernetes' | 'raw', asked = review): string => {
    const input = kubewardenInput(asked, inputTail(settings), type);
    return isFault(input) ? input.code : Buffer.concat(input).toString();
  };
  assert.equal(document(null, 'kubernetes'), '{"request":{},"settings":{}}');
  assert.equal(document({ a: [1] }, 'raw'), '{"request":{ "user": null },"settings":{"a":[1]}}');
  // Asked about any JSON, every policy gets it as it is.
  const raw = { ...review, isRaw: true };
  assert.equal(document(null, 'kubernetes', raw), '{"request":{ "user": null },"settings":{}}');
  const list = makeReview(undefined, { request: createJsonDocument(Buffer.from('[1]')) });
  assert.equal(document(null, 'kubernetes', list), 'PC_REVIEW_REQUEST');
  assert.equal(document(null, 'raw', list), '{"request":[1],"settings":{}}');
});

test('the request of one review is written once', () => {
  const review = makeReview();
  const first = kubewardenInput(review, inputTail(null), 'kubernetes');
  const second = kubewardenInput(review, inputTail({}), 'kubernetes');
  assert.ok(!isFault(first) && !isFault(second));
  assert.equal(first[1], second[1]);
});

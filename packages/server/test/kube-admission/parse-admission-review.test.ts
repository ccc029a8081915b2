import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isFault } from '../../src/kernel/fault.ts';
import {
  parseAdmissionReview,
  type ParsedReview,
} from '../../src/gates/kube-admission/parse-admission-review.ts';
import { withObject } from '../../src/gates/kube-admission/with-object.ts';
import { reviewBody } from './review-body.ts';

function parse(body: Uint8Array): ParsedReview {
  const parsed = parseAdmissionReview(body, 5);
  assert.ok(!isFault(parsed), isFault(parsed) ? parsed.message : '');
  return parsed;
}

function refuse(body: Uint8Array | string): unknown[] {
  const fault = parseAdmissionReview(Buffer.from(body), 5);
  assert.ok(isFault(fault));
  return [fault.code, fault.message];
}

function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}

test('a review of the API server, field by field', () => {
  const body = reviewBody({ subResource: 'scale', dryRun: true });
  const { review, apiVersion } = parse(body);
  const { object, oldObject, request, ...fields } = review;
  assert.equal(apiVersion, 'admission.k8s.io/v1');
  assert.deepEqual(fields, {
    gate: 'admission',
    uid: 'u-1',
    operation: 'CREATE',
    kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
    resource: { group: 'apps', version: 'v1', resource: 'deployments' },
    subresource: 'scale',
    name: 'web',
    namespace: 'shop',
    user: { username: 'ana', uid: '7', groups: ['dev'], extra: { scope: ['a', 'b'] } },
    dryRun: true,
    deadline: 5,
  });
  assert.deepEqual(object?.value(), { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } });
  assert.equal(oldObject, undefined);
  assert.deepEqual(request.value(), (JSON.parse(body.toString()) as { request: object }).request);
});

test('what is absent or null has its default', () => {
  const absent = undefined;
  for (const none of [absent, null]) {
    const { review } = parse(
      reviewBody({
        name: none,
        namespace: none,
        dryRun: none,
        subResource: none,
        object: none,
        userInfo: none,
      }),
    );
    assert.deepEqual(
      [review.name, review.namespace, review.dryRun, review.subresource, review.object, review.user],
      ['', '', false, '', undefined, { username: '', groups: [], extra: {} }],
    );
  }
  const sparse = parse(reviewBody({ userInfo: { username: 'bo', groups: null, extra: { k: null } } })).review;
  assert.deepEqual(sparse.user, { username: 'bo', groups: [], extra: { k: [] } });
});

test('v1beta1 is read alike', () => {
  assert.equal(
    parse(reviewBody({}, { apiVersion: 'admission.k8s.io/v1beta1' })).apiVersion,
    'admission.k8s.io/v1beta1',
  );
});

test('deletecollection names no object: the name is that of the old one', () => {
  const oldObject = { kind: 'Deployment', metadata: { labels: { name: 'no' }, name: 'api-\u00e9"' } };
  const deletion = { operation: 'DELETE', object: null, oldObject };
  assert.equal(parse(reviewBody({ ...deletion, name: '' })).review.name, 'api-\u00e9"');
  assert.equal(parse(reviewBody({ ...deletion, name: undefined })).review.name, 'api-\u00e9"');
  assert.equal(parse(reviewBody({ ...deletion, name: 'given' })).review.name, 'given');
  assert.equal(parse(reviewBody({ ...deletion, name: '', oldObject: { metadata: 3 } })).review.name, '');
  assert.equal(parse(reviewBody({ operation: 'UPDATE', name: '', oldObject })).review.name, '');
});

test('bytes reach guests as they arrived', () => {
  const object = '{ "spec" : {"big":12345678901234567890, "t":"\\u00e9\\/"} }';
  const body = reviewBody({ object: 'HERE', oldObject: 'HERE' }).toString().replaceAll('"HERE"', object);
  const { review } = parse(Buffer.from(body));
  assert.equal(textOf(review.object?.bytes), object);
  assert.equal(textOf(review.oldObject?.bytes), object);
  assert.equal(textOf(review.request.bytes), body.slice(body.indexOf('"request":') + 10, -1));
  assert.equal(JSON.stringify(review.object?.value()), '{"spec":{"big":12345678901234567890,"t":"é/"}}');
});

test('a changed object is spliced into the request, again and again', () => {
  const body = reviewBody({ object: 'HERE' }).toString().replace('"HERE"', '{"big":12345678901234567890}');
  const { review } = parse(Buffer.from(body));
  const once = withObject(review, { a: 1 });
  const twice = withObject(once, { ...(review.object?.value() as object), b: [2] });
  const expected = body.slice(body.indexOf('"request":') + 10, -1);
  assert.equal(textOf(once.request.bytes), expected.replace('{"big":12345678901234567890}', '{"a":1}'));
  assert.equal(
    textOf(twice.request.bytes),
    expected.replace('{"big":12345678901234567890}', '{"big":12345678901234567890,"b":[2]}'),
  );
  assert.equal(JSON.stringify(twice.request.value()), textOf(twice.request.bytes));
  assert.deepEqual(once.object?.value(), { a: 1 });
  assert.equal(textOf(review.request.bytes), expected, 'the first review is as it was');

  const without = withObject(parse(reviewBody({ object: undefined })).review, { a: 1 });
  assert.deepEqual((without.request.value() as { object: unknown }).object, { a: 1 });
});

test('each refusal has its code and says what is wrong', () => {
  const cases: [Uint8Array | string, string, string][] = [
    ['', 'PC_REVIEW_EMPTY', 'the body is empty'],
    ['no', 'PC_REVIEW_JSON', 'unexpected byte at offset 1'],
    [reviewBody().subarray(0, 200), 'PC_REVIEW_JSON', 'unexpected end at byte 200'],
    ['[]', 'PC_REVIEW_KIND', 'the body must be a JSON object of kind `AdmissionReview`'],
    ['{}', 'PC_REVIEW_KIND', 'the body has no kind; it must be an `AdmissionReview`'],
    [
      reviewBody({}, { kind: 'Pod' }),
      'PC_REVIEW_KIND',
      'the body has kind `Pod`; it must be an `AdmissionReview`',
    ],
    [
      reviewBody({}, { apiVersion: 'admission.k8s.io/v2' }),
      'PC_REVIEW_VERSION',
      'the review has apiVersion `admission.k8s.io/v2`; it must be `admission.k8s.io/v1` or `v1beta1`',
    ],
    [reviewBody({}, { request: undefined }), 'PC_REVIEW_REQUEST', '`request` is missing or not an object'],
    [reviewBody({}, { request: null }), 'PC_REVIEW_REQUEST', '`request` is missing or not an object'],
    [reviewBody({}, { request: [] }), 'PC_REVIEW_REQUEST', '`request` is missing or not an object'],
    [reviewBody({ uid: '' }), 'PC_REVIEW_REQUEST', '`request.uid` must be a string that is not empty'],
    [reviewBody({ uid: 7 }), 'PC_REVIEW_REQUEST', '`request.uid` must be a string that is not empty'],
    [reviewBody({ uid: 'u'.repeat(100_000) }), 'PC_REVIEW_REQUEST', '`request.uid` has more than 1024 bytes'],
    [
      reviewBody({ operation: 'create' }),
      'PC_REVIEW_REQUEST',
      '`request.operation` must be CREATE, UPDATE, DELETE or CONNECT',
    ],
    [
      reviewBody({ operation: null }),
      'PC_REVIEW_REQUEST',
      '`request.operation` must be a string that is not empty',
    ],
    [
      reviewBody({ kind: 'Pod' }),
      'PC_REVIEW_REQUEST',
      '`request.kind.version` must be a string that is not empty',
    ],
    [
      reviewBody({ resource: null }),
      'PC_REVIEW_REQUEST',
      '`request.resource.version` must be a string that is not empty',
    ],
    [reviewBody({ name: 3 }), 'PC_REVIEW_REQUEST', '`request.name` must be a string'],
    [reviewBody({ namespace: {} }), 'PC_REVIEW_REQUEST', '`request.namespace` must be a string'],
    [reviewBody({ dryRun: 'true' }), 'PC_REVIEW_REQUEST', '`request.dryRun` must be true or false'],
    [reviewBody({ object: [] }), 'PC_REVIEW_REQUEST', '`request.object` must be an object or null'],
    [reviewBody({ oldObject: 'x' }), 'PC_REVIEW_REQUEST', '`request.oldObject` must be an object or null'],
    [reviewBody({ userInfo: [] }), 'PC_REVIEW_REQUEST', '`request.userInfo` must be an object'],
    [
      reviewBody({ userInfo: { username: 1 } }),
      'PC_REVIEW_REQUEST',
      '`request.userInfo` has a `username` that is not a string',
    ],
    [
      reviewBody({ userInfo: { groups: ['a', 1] } }),
      'PC_REVIEW_REQUEST',
      '`request.userInfo` has `groups` that are not strings',
    ],
    [
      reviewBody({ userInfo: { extra: { a: 'b' } } }),
      'PC_REVIEW_REQUEST',
      '`request.userInfo` has an `extra` whose values are not arrays of strings',
    ],
  ];
  for (const [body, code, message] of cases) assert.deepEqual(refuse(body), [code, message]);
});

test('a hostile key of extra is a key', () => {
  const body = reviewBody({ userInfo: 'HERE' }).toString().replace('"HERE"', '{"extra":{"__proto__":["x"]}}');
  const { extra } = parse(Buffer.from(body)).review.user;
  assert.deepEqual(Object.entries(extra), [['__proto__', ['x']]]);
});

test('whatever is done to a body, it is a review or a fault', () => {
  const body = reviewBody({ subResource: 'scale', oldObject: { metadata: { name: 'old' } } });
  const change = fc.record({
    at: fc.nat(body.length),
    drop: fc.nat(30),
    put: fc.constantFrom('', '"', '{', '}', 'null', ',', '1', '[]'),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      let text = body.toString();
      for (const { at, drop, put } of changes) text = text.slice(0, at) + put + text.slice(at + drop);
      const parsed = parseAdmissionReview(Buffer.from(text), 0);
      if (isFault(parsed)) return;
      const { request } = JSON.parse(text) as { request: Record<string, unknown> };
      assert.equal(parsed.review.uid, request['uid']);
      assert.equal(parsed.review.operation, request['operation']);
      assert.deepEqual(parsed.review.request.value(), request);
      assert.deepEqual(parsed.review.object?.value() ?? null, request['object'] ?? null);
    }),
    { seed: 9, numRuns: 3000 },
  );
});

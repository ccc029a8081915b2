import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision, Review } from '@portcullis/contract';
import { Fault } from '../../src/kernel/fault.ts';
import type { Question } from '../../src/chain/chain.ts';
import { createAdmissionGate } from '../../src/gates/kube-admission/admission-gate.ts';
import { admissionRoute } from '../../src/gates/kube-admission/admission-route.ts';
import { timeoutOf } from '../../src/gates/webhook-timeout.ts';
import type { GateRequest, GateResponse } from '../../src/gates/gate.ts';
import { reviewBody } from './review-body.ts';

const ALLOW: Decision = {
  outcome: 'allow',
  causes: [],
  warnings: [],
  auditAnnotations: {},
  contributions: [],
  revision: 1,
};

interface Asked {
  readonly review: Review;
  readonly question: Question;
}

/** A gate whose chain allows everything, so that whatever is refused was refused by the gate. */
function ask(
  request: Partial<GateRequest>,
  decide: () => Decision | Fault = () => ALLOW,
): { asked: Asked[]; logged: unknown[]; response: Promise<GateResponse> } {
  const asked: Asked[] = [];
  const logged: unknown[] = [];
  const gate = createAdmissionGate({
    decide: async (review, question) => {
      asked.push({ review, question });
      return decide();
    },
    log: { enabled: () => true, log: (...entry) => void logged.push(entry) },
  });
  const response = gate({
    method: 'POST',
    path: '/validate',
    query: '',
    contentType: 'application/json',
    body: reviewBody(),
    received: 100,
    ...request,
  });
  return { asked, logged, response };
}

interface Answer {
  readonly apiVersion: string;
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly status?: {
      readonly code: number;
      readonly message: string;
      readonly details: { readonly causes: readonly { readonly reason: string }[] };
    };
  };
}

function answerOf(response: GateResponse): Answer {
  assert.equal(response.headers['content-type'], 'application/json');
  return JSON.parse(response.body) as Answer;
}

test('a review goes through with its phase, policy and deadline', async () => {
  const { asked, response } = ask({
    path: '/admission/mutate/add-labels',
    query: 'timeout=5s',
    traceParent: '00-1-2-01',
  });
  assert.equal((await response).status, 200);
  assert.equal(answerOf(await response).response.allowed, true);
  const [{ review, question } = assert.fail()] = asked;
  assert.equal(review.deadline, 100 + 4750);
  assert.deepEqual(
    [question.phase, question.policy, question.traceParent],
    ['mutate', 'add-labels', '00-1-2-01'],
  );
});

test('bad input is refused, and nothing is asked', async () => {
  const encode = (text: string): Uint8Array => Buffer.from(text);
  const embed = (object: string): Uint8Array =>
    encode(reviewBody({ object: 'HERE' }).toString().replace('"HERE"', object));
  const cases: [string, Partial<GateRequest>, number, string, string][] = [
    ['empty body', { body: encode('') }, 400, '', 'PC_REVIEW_EMPTY'],
    ['not JSON', { body: encode('kind: AdmissionReview') }, 400, '', 'PC_REVIEW_JSON'],
    ['truncated', { body: reviewBody().subarray(0, -1) }, 400, '', 'PC_REVIEW_JSON'],
    ['text', { contentType: 'text/plain' }, 415, '', 'PC_REVIEW_CONTENT_TYPE'],
    ['no content type', { contentType: undefined }, 415, '', 'PC_REVIEW_CONTENT_TYPE'],
    [
      'JSON of another kind',
      { contentType: 'application/json-patch+json' },
      415,
      '',
      'PC_REVIEW_CONTENT_TYPE',
    ],
    ['wrong kind', { body: reviewBody({}, { kind: 'Pod' }) }, 400, '', 'PC_REVIEW_KIND'],
    ['an empty object', { body: encode('{}') }, 400, '', 'PC_REVIEW_KIND'],
    ['an array', { body: encode('[]') }, 400, '', 'PC_REVIEW_KIND'],
    ['missing request', { body: reviewBody({}, { request: undefined }) }, 400, '', 'PC_REVIEW_REQUEST'],
    ['null request', { body: reviewBody({}, { request: null }) }, 400, '', 'PC_REVIEW_REQUEST'],
    [
      'unknown version',
      { body: reviewBody({}, { apiVersion: 'admission.k8s.io/v9' }) },
      400,
      '',
      'PC_REVIEW_VERSION',
    ],
    ['8 MiB', { body: Buffer.alloc(8 * 1024 * 1024, ' ') }, 413, '', 'PC_REVIEW_SIZE'],
    [
      '10,000 levels',
      { body: embed(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`) },
      200,
      'u-1',
      'PC_REVIEW_DEPTH',
    ],
    ['10,000 levels and nothing else', { body: encode('['.repeat(10_000)) }, 400, '', 'PC_REVIEW_DEPTH'],
    ['duplicate keys', { body: embed('{"spec":1,"\\u0073pec":2}') }, 200, 'u-1', 'PC_REVIEW_DUPLICATE_KEY'],
    ['lone surrogate', { body: embed('{"a":"\\udc00"}') }, 200, 'u-1', 'PC_REVIEW_ENCODING'],
    [
      'bytes that are no UTF-8',
      { body: Buffer.from([0x22, 0xc3, 0x28, 0x22]) },
      400,
      '',
      'PC_REVIEW_ENCODING',
    ],
    ['a uid of 100 KB', { body: reviewBody({ uid: 'u'.repeat(100_000) }) }, 400, '', 'PC_REVIEW_REQUEST'],
    ['a field of the wrong type', { body: reviewBody({ object: 7 }) }, 200, 'u-1', 'PC_REVIEW_REQUEST'],
    ['unknown operation', { body: reviewBody({ operation: 'PATCH' }) }, 200, 'u-1', 'PC_REVIEW_REQUEST'],
    ['another path', { path: '/validating' }, 404, '', 'PC_NOT_FOUND'],
    ['another method', { method: 'GET' }, 405, '', 'PC_METHOD'],
  ];
  for (const [name, request, status, uid, code] of cases) {
    const { asked, response } = ask(request);
    const answer = answerOf(await response);
    assert.equal((await response).status, status, name);
    assert.equal(answer.response.allowed, false, name);
    assert.equal(answer.response.uid, uid, name);
    assert.equal(answer.response.status?.details.causes[0]?.reason, code, name);
    assert.ok(
      (answer.response.status?.code ?? 0) >= 400 && (answer.response.status?.message ?? '') !== '',
      name,
    );
    assert.equal(asked.length, 0, name);
    assert.ok((await response).body.length < 2000, name);
  }
});

test('a refusal reads like advice, in the version received', async () => {
  const body = reviewBody({ dryRun: 1 }, { apiVersion: 'admission.k8s.io/v1beta1' });
  const answer = answerOf(await ask({ body }).response);
  assert.equal(answer.apiVersion, 'admission.k8s.io/v1beta1');
  assert.equal(
    answer.response.status?.message,
    'Invalid admission request: `request.dryRun` must be true or false; send the `request` as the Kubernetes API server does',
  );
});

test('content types with parameters are fine', async () => {
  const { response } = ask({ contentType: 'Application/JSON; charset=utf-8' });
  assert.equal(answerOf(await response).response.allowed, true);
});

test('a chain that throws denies, and says nothing of the object', async () => {
  const { logged, response } = ask({}, () => {
    throw new Error('secret of the object');
  });
  const answer = answerOf(await response);
  assert.equal((await response).status, 200);
  assert.deepEqual(
    [answer.response.uid, answer.response.allowed, answer.response.status?.code],
    ['u-1', false, 500],
  );
  assert.ok(!(await response).body.includes('secret'));
  assert.equal(logged.length, 1);
  assert.ok(!JSON.stringify(logged).includes('secret'));
});

test('a chain that answers with a fault denies', async () => {
  const { response } = ask(
    { path: '/admission/validate/nope' },
    () => new Fault('PC_NOT_FOUND', 'there is no validate policy `nope`'),
  );
  const answer = answerOf(await response);
  assert.equal((await response).status, 200);
  assert.equal(answer.response.status?.message, 'there is no validate policy `nope`; list what exists');
  assert.equal(answer.response.allowed, false);
});

test('paths of the gate', () => {
  assert.deepEqual(admissionRoute('/validate'), { phase: 'validate' });
  assert.deepEqual(admissionRoute('/mutate'), { phase: 'mutate' });
  assert.deepEqual(admissionRoute('/admission/validate'), { phase: 'validate' });
  assert.deepEqual(admissionRoute('/admission/mutate/a.b-c'), { phase: 'mutate', policy: 'a.b-c' });
  assert.deepEqual(admissionRoute('/admission/validate/a/b'), { phase: 'validate', policy: 'a/b' });
  assert.deepEqual(admissionRoute('/admission/fail/validate'), { phase: 'validate', failureClass: 'Fail' });
  assert.deepEqual(admissionRoute('/admission/ignore/mutate'), { phase: 'mutate', failureClass: 'Ignore' });
  for (const path of [
    '/',
    '/admission',
    '/validate/',
    '/validate/a',
    '/admission/validate/',
    '/admission/validate/A',
    '/admission/validate/a/b/c',
    '/admission/fail/validate/a',
    '/fail/validate',
    '/admission/validate/..',
    '/admission/audit',
  ]) {
    assert.equal(admissionRoute(path), undefined, path);
  }
});

test('the timeout of the query, less a margin', () => {
  const cases: [string, number][] = [
    ['', 9500],
    ['timeout=10s', 9500],
    ['a=b&timeout=1s', 950],
    ['timeout=30s', 28_500],
    ['timeout=1m30s', 28_500],
    ['timeout=500ms', 450],
    ['timeout=1.5s', 1425],
    ['timeout=60ms', 30],
    ['timeout=0s', 9500],
    ['timeout=', 9500],
    ['timeout=10', 9500],
    ['timeout=-5s', 9500],
    ['timeout=1e3s', 9500],
    ['timeout=99999999999999999999s', 9500],
  ];
  for (const [query, expected] of cases) assert.equal(timeoutOf(query), expected, query);
});

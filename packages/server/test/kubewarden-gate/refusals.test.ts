import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { envelope, SCRIPTS } from './gate-scripts.ts';
import { openGate, podReview } from './open-gate.ts';

describe('what is not judged', () => {
  test('an unknown id is 404, an id with two slashes 500', async () => {
    const { post } = await openGate('p: {module: allow}', SCRIPTS);
    for (const question of ['validate', 'audit']) {
      const unknown = await post(`/${question}/x`, podReview());
      assert.equal(unknown.response.status, 404);
      assert.deepEqual(unknown.body, { message: 'unknown policy: x', status: 404 });
    }
    const slashes = await post('/validate/a%2Fb%2Fc', podReview());
    assert.equal(slashes.response.status, 500);
    assert.deepEqual(slashes.body, { message: 'Something went wrong', status: 500 });
  });

  test('bad JSON is 400, another shape 422, another content type 415, too much 413; in JSON or in text as the policy-server has it', async () => {
    const { post } = await openGate('p: {module: allow}', SCRIPTS, { maxBodyBytes: 2000 });
    const cases: readonly (readonly [unknown, string, number, RegExp])[] = [
      ['{', 'application/json', 400, /^Failed to parse the request body as JSON: unexpected end at byte 1$/],
      ['', 'application/json', 400, /^Failed to parse the request body as JSON: the body is empty$/],
      [
        { kind: 'AdmissionReview' },
        'application/json',
        422,
        /^Failed to deserialize the JSON body into the target type: /,
      ],
      [podReview({ operation: 'SIGN' }), 'application/json', 422, /operation/],
      [podReview(), 'text/plain', 415, /^Expected request with `Content-Type: application\/json`$/],
      [podReview({ name: 'x'.repeat(2000) }), 'application/json', 413, /^the body has more than 2000 bytes$/],
    ];
    for (const [body, contentType, status, message] of cases) {
      const json = await post('/validate/p', body, { contentType });
      assert.equal(json.response.status, status);
      assert.equal((json.body as { status: number }).status, status);
      assert.match((json.body as { message: string }).message, message);
      const text = await post('/audit/p', body, { contentType });
      assert.equal(text.response.status, status);
      assert.match(text.response.body, message);
      assert.match(text.response.headers['content-type'] ?? '', /^text\/plain/);
    }
  });

  test('before the first policies are there it is 503', async () => {
    const { gate } = await openGate('p: {module: allow}', SCRIPTS, {
      decide: async () => (await import('../../src/kernel/fault.ts')).Fault.from(undefined, 'PC_NOT_READY'),
    });
    const body = Buffer.from(JSON.stringify(podReview()));
    const request = {
      method: 'POST',
      path: '/validate/p',
      query: '',
      contentType: 'application/json',
      body,
      received: 0,
    };
    assert.equal((await gate(request)).status, 503);
    assert.equal((await gate({ ...request, method: 'GET' })).status, 405);
    assert.equal((await gate({ ...request, path: '/validate/%zz' })).status, 404);
  });

  test('a namespace that is always accepted is not asked about, but raw requests are', async () => {
    const { post, records } = await openGate('p: {module: deny}', SCRIPTS, { acceptNamespace: 'kubewarden' });
    const review = podReview({ namespace: 'kubewarden' });
    assert.deepEqual((await post('/validate/p', review)).body, envelope({ allowed: true }));
    assert.deepEqual((await post('/audit/p', review)).body, envelope({ allowed: true }));
    assert.equal(records.length, 0);
    const raw = await post('/validate_raw/p', { request: { namespace: 'kubewarden' } });
    assert.equal((raw.body as { response: { allowed: boolean } }).response.allowed, false);
    assert.match(JSON.stringify((await post('/validate/p', podReview())).body), /no team label/);
  });

  test('weakness 5: two objects of 3 MiB are judged', async () => {
    const { post } = await openGate('p: {module: allow}', SCRIPTS);
    const metadata = { name: 'web', annotations: { large: 'x'.repeat(3 * 1024 * 1024) } };
    const object = { apiVersion: 'v1', kind: 'Pod', metadata };
    const { response } = await post(
      '/validate/p',
      podReview({ operation: 'UPDATE', object, oldObject: object }),
    );
    assert.equal(response.status, 200);
  });
});

test('property: whatever is sent, what is no whole review is never answered with 200', async () => {
  const { gate } = await openGate('p: {module: allow}', SCRIPTS);
  const whole = Buffer.from(JSON.stringify(podReview()));
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.nat(whole.length - 1).map((length) => whole.subarray(0, length)),
    fc.json().map((text) => Buffer.from(`{"request":${text}}`)),
  );
  const questions = fc.constantFrom('validate', 'audit');
  await fc.assert(
    fc.asyncProperty(questions, bodies, async (question, body) => {
      const { status } = await gate({
        method: 'POST',
        path: `/${question}/p`,
        query: '',
        contentType: 'application/json',
        body,
        received: performance.now(),
      });
      assert.ok(status === 400 || status === 422, String(status));
    }),
    { seed: 8, numRuns: 300 },
  );
});

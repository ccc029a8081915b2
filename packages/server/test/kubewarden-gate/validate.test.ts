import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Verdict } from '@portcullis/contract';
import * as fc from 'fast-check';
import { allow } from '../support/scripted-engine.ts';
import { answer, envelope, PATCH, SCRIPTS } from './gate-scripts.ts';
import { openGate, podReview } from './open-gate.ts';

describe('the bodies of /validate', () => {
  test('an allow, alone and with everything', async () => {
    assert.deepEqual(await answer('{module: allow}'), envelope({ allowed: true }));
    assert.deepEqual(
      await answer('{module: tell}'),
      envelope({
        allowed: true,
        status: { message: 'fine' },
        auditAnnotations: { seen: 'yes' },
        warnings: ['old API'],
      }),
    );
  });

  test('a code is told with an allow, too, unless the policy only watches', async () => {
    assert.deepEqual(await answer('{module: code}'), envelope({ allowed: true, status: { code: 202 } }));
    assert.deepEqual(
      await answer('{module: code}', '/audit/p'),
      envelope({ allowed: true, status: { code: 202 } }),
    );
    assert.deepEqual(await answer('{module: code, policyMode: monitor}'), envelope({ allowed: true }));
  });

  test('the members stand in the order of the policy-server', async () => {
    const { post } = await openGate('p: {module: allow}', SCRIPTS);
    const { response } = await post('/validate/p', podReview());
    assert.equal(
      response.body,
      '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"u1","allowed":true,"auditAnnotations":null,"warnings":null}}',
    );
  });

  test('a denial, with the text of the policy and its code', async () => {
    assert.deepEqual(
      await answer('{module: deny}'),
      envelope({
        allowed: false,
        status: { message: 'no team label', code: 418 },
        auditAnnotations: { why: 'label' },
        warnings: ['w'],
      }),
    );
  });

  test('a configured message replaces the text, which goes to the causes', async () => {
    const body = (await answer('{module: deny, message: add a team label}')) as {
      response: { status: object };
    };
    assert.deepEqual(body.response.status, {
      message: 'add a team label',
      code: 418,
      details: { causes: [{ field: null, message: 'no team label', reason: null }] },
    });
  });

  test('a change is a patch when it is allowed, and a denial when not', async () => {
    assert.deepEqual(
      await answer('{module: change, allowedToMutate: true}'),
      envelope({
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(PATCH)).toString('base64'),
      }),
    );
    assert.deepEqual(
      await answer('{module: change}'),
      envelope({
        allowed: false,
        status: {
          message:
            'Request rejected by policy p. The policy attempted to mutate the request, but it is currently configured to not allow mutations.',
        },
      }),
    );
    assert.deepEqual(await answer('{module: same}'), envelope({ allowed: true }));
  });

  test('a policy that cannot answer denies with 500 and says why, at status 200', async () => {
    const failed = (message: string): object => envelope({ allowed: false, status: { message, code: 500 } });
    assert.deepEqual(
      await answer('{module: timeout}'),
      failed('Policy execution interrupted because it exceeded the allowed execution time'),
    );
    assert.deepEqual(
      await answer('{module: guest}'),
      failed('internal server error: Guest call failure: it is broken'),
    );
    assert.deepEqual(
      await answer('{module: garbage}'),
      failed('internal server error: Cannot deserialize policy validation response: no JSON'),
    );
    assert.deepEqual(
      await answer('{module: abstain}'),
      failed('internal server error: the policy gave no answer'),
    );
    assert.ok(!JSON.stringify(await answer('{module: throws}')).includes('secret'));
  });

  test('what the policy itself said is recorded, whatever came of it', async () => {
    const file = `deny: {module: deny, policyMode: monitor}
change: {module: change}
fault: {module: guest, message: shown}`;
    const { post, records } = await openGate(file, SCRIPTS);
    await post('/validate/deny', podReview());
    await post('/audit/change', podReview());
    await post('/validate/change', podReview());
    await post('/validate_raw/fault', { request: {} });
    assert.deepEqual(
      records.map(({ named }) => named),
      [
        { origin: 'validate', accepted: false, mutated: false, code: 418 },
        { origin: 'audit', accepted: true, mutated: true },
        { origin: 'validate', accepted: true, mutated: true },
        { origin: 'validate_raw', accepted: false, mutated: false, code: 500 },
      ],
    );
  });

  test('fields that a policy did not return stay, are told, and are counted in the record', async () => {
    const { post, records } = await openGate('p: {module: change, allowedToMutate: true}', SCRIPTS);
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { a: 1 } };
    const { body } = await post('/validate/p', podReview({ object }));
    assert.deepEqual(
      body,
      envelope({
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(PATCH)).toString('base64'),
        warnings: ['kept fields not returned by the policy: /spec'],
      }),
    );
    await post('/validate/p', podReview());
    assert.deepEqual(
      records.map(({ contributions }) => contributions[0]?.keptFields),
      [1, undefined],
    );
  });

  test('in monitor mode everything is allowed, warnings and annotations stay, and the record has the real verdict', async () => {
    const { post, records } = await openGate('p: {module: deny, policyMode: monitor}', SCRIPTS);
    const { body } = await post('/validate/p', podReview());
    assert.deepEqual(body, envelope({ allowed: true, auditAnnotations: { why: 'label' }, warnings: ['w'] }));
    assert.deepEqual(
      records.map(({ outcome, contributions }) => [
        outcome,
        contributions[0]?.outcome,
        contributions[0]?.message,
      ]),
      [['allow', 'deny', 'no team label']],
    );
    assert.deepEqual(await answer('{module: change, policyMode: monitor}'), envelope({ allowed: true }));
  });

  test('weakness 25: on request the client of a monitored policy is told', async () => {
    const { post } = await openGate('p: {module: deny, policyMode: monitor}', SCRIPTS, {
      reading: { monitorWarnings: true },
    });
    const { body } = await post('/validate/p', podReview());
    assert.deepEqual(
      body,
      envelope({
        allowed: true,
        auditAnnotations: { why: 'label' },
        warnings: ['w', 'would be denied: no team label'],
      }),
    );
  });

  test('weakness 31: a policy that only watches does not deny when it cannot answer or was never loaded', async () => {
    assert.deepEqual(await answer('{module: timeout, policyMode: monitor}'), envelope({ allowed: true }));
    assert.deepEqual(await answer('{module: missing, policyMode: monitor}'), envelope({ allowed: true }));
  });

  test('`apiVersion` and `kind` may be missing', async () => {
    const review = podReview({}, { apiVersion: undefined, kind: undefined });
    assert.deepEqual(await answer('{module: allow}', '/validate/p', review), envelope({ allowed: true }));
  });
});

test('property: whatever a policy says, the answer is an allow only when it said so', async () => {
  const texts = fc.string({ maxLength: 20 });
  const remarks = fc.record({
    warnings: fc.array(texts, { maxLength: 3 }),
    auditAnnotations: fc.dictionary(texts, texts, { maxKeys: 3 }),
  });
  const verdicts = fc.oneof(
    remarks.map((said): Verdict => ({ outcome: 'allow', ...said })),
    fc
      .tuple(remarks, texts)
      .map(([said, message]): Verdict => ({ outcome: 'deny', message, causes: [], ...said })),
    remarks.map((said): Verdict => ({ outcome: 'abstain', ...said })),
    texts.map((message): Verdict => ({ outcome: 'fault', code: 'PC_WASM_TRAP', message })),
    fc.constant({ outcome: 'maybe' } as unknown as Verdict),
  );
  let next: Verdict = allow;
  const { post } = await openGate('p: {module: any}', { any: () => next });
  await fc.assert(
    fc.asyncProperty(verdicts, async (verdict) => {
      next = verdict;
      const { response, body } = await post('/validate/p', podReview());
      assert.equal(response.status, 200);
      const said = (body as { response: { allowed: unknown; uid: unknown } }).response;
      assert.equal(said.allowed, verdict.outcome === 'allow');
      assert.equal(said.uid, 'u1');
    }),
    { seed: 7, numRuns: 200 },
  );
});

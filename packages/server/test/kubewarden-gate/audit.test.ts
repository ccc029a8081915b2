import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { allow } from '../support/scripted-engine.ts';
import { answer, envelope, PATCH, SCRIPTS } from './gate-scripts.ts';
import { openGate, podReview } from './open-gate.ts';

describe('/audit', () => {
  test('is the raw verdict: no monitor mode, no message, no rule about changes', async () => {
    assert.deepEqual(
      await answer('{module: deny, policyMode: monitor, message: other}', '/audit/p'),
      envelope({
        allowed: false,
        status: { message: 'no team label', code: 418 },
        auditAnnotations: { why: 'label' },
        warnings: ['w'],
      }),
    );
    const changed = (await answer('{module: change}', '/audit/p')) as {
      response: { allowed: boolean; patch: string };
    };
    assert.equal(changed.response.allowed, true);
    assert.deepEqual(JSON.parse(Buffer.from(changed.response.patch, 'base64').toString()), PATCH);
  });

  test('weakness 20: audits take turns, and requests do not wait for them', async () => {
    const started: string[] = [];
    const release = Promise.withResolvers<void>();
    const { post } = await openGate('slow: {module: slow}\nfast: {module: allow}', {
      ...SCRIPTS,
      slow: async (review) => {
        started.push(review.uid);
        await release.promise;
        return allow;
      },
    });
    const audits = ['a', 'b', 'c', 'd'].map((uid) => post('/audit/slow', podReview({ uid })));
    await sleep(0);
    assert.deepEqual(started, ['a', 'b']);
    const { body } = await post('/validate/fast', podReview());
    assert.deepEqual(body, envelope({ allowed: true }));
    release.resolve();
    const all = await Promise.all(audits);
    assert.deepEqual(started, ['a', 'b', 'c', 'd']);
    assert.deepEqual(
      all.map(({ response }) => response.status),
      [200, 200, 200, 200],
    );
  });
});

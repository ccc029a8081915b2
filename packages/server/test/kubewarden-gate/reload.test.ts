import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allow } from '../support/scripted-engine.ts';
import { envelope, SCRIPTS } from './gate-scripts.ts';
import { openGate, podReview } from './open-gate.ts';

describe('policies that come and go', () => {
  const FIFTY = Array.from(
    { length: 50 },
    (_, index) => `p${index}: {module: ${index === 49 ? 'missing' : 'allow'}}`,
  );

  test('weakness 17 and 18: one bad policy in a file of fifty: forty-nine serve, status names the fiftieth', async () => {
    const { post, loader } = await openGate(FIFTY.join('\n'), SCRIPTS);
    for (let index = 0; index < 49; index++) {
      assert.deepEqual((await post(`/validate/p${index}`, podReview())).body, envelope({ allowed: true }));
    }
    const refused = loader.statuses().filter(({ state }) => state !== 'loaded');
    assert.deepEqual(
      refused.map(({ name, state, problem, standsIn }) => [name, state, problem?.code, standsIn]),
      [['p49', 'refused', 'PC_MODULE_MALFORMED', true]],
    );
    const { body } = await post('/validate/p49', podReview());
    assert.deepEqual(
      body,
      envelope({
        allowed: false,
        status: { message: 'internal server error: no script `missing`', code: 500 },
      }),
    );
  });

  test('weakness 16: the file is followed, and of an entry that breaks the last good one stays in force', async () => {
    const { post, write, loader } = await openGate('p: {module: deny}\nq: {module: allow}', SCRIPTS);
    await write('p: {module: allow}\nq: {module: deny}');
    assert.deepEqual((await post('/validate/p', podReview())).body, envelope({ allowed: true }));
    await write('p: {module: allow, policyMode: sometimes}\nq: {module: allow}');
    assert.deepEqual((await post('/validate/p', podReview())).body, envelope({ allowed: true }));
    assert.deepEqual((await post('/validate/q', podReview())).body, envelope({ allowed: true }));
    assert.match(
      loader.status('p')?.problem?.message ?? '',
      /^policies.yml:1:20: p.policyMode: must be one of/,
    );
    assert.equal(loader.status('p')?.lastGood, true);
    await write('q: [');
    assert.deepEqual((await post('/validate/q', podReview())).body, envelope({ allowed: true }));
    await write('q: {module: allow}');
    assert.equal((await post('/validate/p', podReview())).response.status, 404);
  });

  test('that a policy may change something is a change of its own', async () => {
    const { post, write } = await openGate('p: {module: change}', SCRIPTS);
    const allowed = async (): Promise<boolean> =>
      ((await post('/validate/p', podReview())).body as { response: { allowed: boolean } }).response.allowed;
    assert.equal(await allowed(), false);
    await write('p: {module: change, allowedToMutate: true}');
    assert.equal(await allowed(), true);
  });

  test('the request bounds the time of a policy', async () => {
    const left: number[] = [];
    const { post } = await openGate('p: {module: look, timeoutEvalSeconds: 20}', {
      look: (review) => {
        left.push(review.deadline - performance.now());
        return allow;
      },
    });
    await post('/validate/p?timeout=1s', podReview());
    assert.ok((left[0] as number) <= 1000);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Verdict } from '@portcullis/contract';
import { allow, deny, type Script } from '../support/scripted-engine.ts';
import { envelope, SCRIPTS } from './gate-scripts.ts';
import { openGate, podReview } from './open-gate.ts';

const GROUP = `
g:
  policyMode: protect
  expression: "EXPRESSION"
  message: neither rule holds
  policies: {a: {module: a}, b: {module: b}, c: {module: c}}
`;

describe('groups', () => {
  const script =
    (text: string): Script =>
    () =>
      ({
        ...deny(`${text} found something`),
        warnings: [`warned ${text}`],
        auditAnnotations: { key: text },
      }) as Verdict;
  const group = (expression: string): string => GROUP.replace('EXPRESSION', expression);

  test('a denial has the message of the group, and a cause for each member that was asked and denied', async () => {
    const { post } = await openGate(group('a() || b() || (false && c())'), {
      a: script('a'),
      b: script('b'),
      c: script('c'),
    });
    const { body } = await post('/validate/g', podReview());
    assert.deepEqual(
      body,
      envelope({
        allowed: false,
        status: {
          message: 'neither rule holds',
          details: {
            causes: [
              { field: 'spec.policies.a', message: 'a found something', reason: null },
              { field: 'spec.policies.b', message: 'b found something', reason: null },
            ],
          },
        },
        // Weakness 12: they are lost in the policy-server.
        auditAnnotations: { 'a.key': 'a', 'b.key': 'b' },
        warnings: ['a: warned a', 'b: warned b'],
      }),
    );
  });

  test('weakness 12: each member is asked at most once, and only when it matters', async () => {
    const asked: string[] = [];
    const count =
      (name: string, verdict: Verdict): Script =>
      () => {
        asked.push(name);
        return verdict;
      };
    const { post } = await openGate(group('(a() && a()) || (a() && b()) || c()'), {
      a: count('a', allow),
      b: count('b', allow),
      c: count('c', allow),
    });
    await post('/validate/g', podReview());
    assert.deepEqual(asked, ['a']);
  });

  test('a member that changes the object counts as one that denied', async () => {
    const scripts = {
      ...SCRIPTS,
      a: SCRIPTS['change'] as Script,
      b: SCRIPTS['same'] as Script,
      c: () => allow,
    };
    const { post } = await openGate(group('a() && b() && c()'), scripts);
    const { body } = await post('/validate/g', podReview());
    assert.deepEqual((body as { response: { status: { details: object } } }).response.status.details, {
      causes: [
        { field: 'spec.policies.a', message: 'mutation is not allowed inside of policy group', reason: null },
      ],
    });
    const negated = await openGate(group('!a() && b() && c()'), scripts);
    assert.deepEqual((await negated.post('/validate/g', podReview())).body, envelope({ allowed: true }));
  });

  test('a member that cannot answer makes the group fail, unless the others settle it', async () => {
    const scripts = { a: SCRIPTS['guest'] as Script, b: () => allow, c: () => deny('no') };
    const failing = await openGate(group('a() && b() || c()'), scripts);
    const { body } = await failing.post('/validate/g', podReview());
    assert.deepEqual(
      body,
      envelope({
        allowed: false,
        status: {
          message: 'error evaluating policy group expression: member `a`: it is broken',
          code: 500,
        },
      }),
    );
    const settled = await openGate(group('a() || b() || c()'), scripts);
    assert.deepEqual((await settled.post('/validate/g', podReview())).body, envelope({ allowed: true }));
  });

  test('members answer under the name of the group', async () => {
    const { post } = await openGate(group('a() && b() && c()'), {
      a: script('a'),
      b: () => allow,
      c: () => allow,
    });
    const { body } = await post('/validate/g%2Fa', podReview());
    assert.equal(
      (body as { response: { status: { message: string } } }).response.status.message,
      'a found something',
    );
    assert.deepEqual((await post('/validate/g%2Fb', podReview())).body, envelope({ allowed: true }));
    assert.equal((await post('/validate/g%2Fz', podReview())).response.status, 404);
  });
});

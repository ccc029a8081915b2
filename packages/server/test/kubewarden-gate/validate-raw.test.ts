import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonValue } from '@portcullis/contract';
import { allow, type Script } from '../support/scripted-engine.ts';
import { SCRIPTS } from './gate-scripts.ts';
import { openGate, podReview } from './open-gate.ts';

describe('/validate_raw', () => {
  test('asks about any JSON, with the bytes that arrived', async () => {
    let seen = '';
    const { post } = await openGate('p: {module: look}', {
      look: (review) => {
        seen = Buffer.from(review.request.bytes).toString();
        return allow;
      },
    });
    const { response } = await post('/validate_raw/p', '{"request": {"uid":"r1", "n": 9007199254740993}}');
    assert.equal(
      response.body,
      '{"response":{"uid":"r1","allowed":true,"auditAnnotations":null,"warnings":null}}',
    );
    assert.equal(seen, '{"uid":"r1", "n": 9007199254740993}');
    for (const request of ['[1]', '"text"', 'null', '7', '{"uid":7}']) {
      const other = await post('/validate_raw/p', `{"request":${request}}`);
      assert.equal((other.body as { response: { uid: string } }).response.uid, '', request);
      assert.equal(seen, request);
    }
  });

  test('a change is one of the whole request', async () => {
    const { post } = await openGate('p: {module: add, allowedToMutate: true}', {
      add: () => ({
        outcome: 'allow',
        mutation: { object: { uid: 'r1', b: 1 } },
        warnings: [],
        auditAnnotations: {},
      }),
    });
    const { body } = await post('/validate_raw/p', { request: { uid: 'r1' } });
    const { patch } = (body as { response: { patch: string } }).response;
    assert.deepEqual(JSON.parse(Buffer.from(patch, 'base64').toString()), [
      { op: 'add', path: '/b', value: 1 },
    ]);
  });

  test('a change of any JSON, and one that is not allowed', async () => {
    let changed: JsonValue = null;
    const scripts: Readonly<Record<string, Script>> = {
      any: () => ({ outcome: 'allow', mutation: { object: changed }, warnings: [], auditAnnotations: {} }),
    };
    const { post } = await openGate(
      'p: {module: any, allowedToMutate: true}\nq: {module: any}\nw: {module: any, policyMode: monitor}',
      scripts,
    );
    const patchOf = (body: unknown): JsonValue => {
      const { patch } = (body as { response: { patch?: string } }).response;
      return patch === undefined ? null : (JSON.parse(Buffer.from(patch, 'base64').toString()) as JsonValue);
    };
    for (const [from, to, patch] of [
      [[1, 2], [1], [{ op: 'remove', path: '/1' }]],
      [{ a: { b: 1 } }, { a: { b: 2 } }, [{ op: 'replace', path: '/a/b', value: 2 }]],
      [{ a: 1, b: 2 }, { a: 1 }, [{ op: 'remove', path: '/b' }]],
      [{ kind: 'a' }, { kind: 'b' }, [{ op: 'replace', path: '/kind', value: 'b' }]],
      [{ a: null }, 'x', [{ op: 'replace', path: '', value: 'x' }]],
      [{ a: 1 }, { a: 1 }, null],
      ['x', 'x', null],
    ] as const) {
      changed = to;
      const { body } = await post('/validate_raw/p', { request: from });
      assert.deepEqual(patchOf(body), patch, JSON.stringify(from));
    }
    changed = { a: 2 };
    const refused = (await post('/validate_raw/q', { request: { a: 1 } })).body as {
      response: { allowed: boolean; status: { message: string } };
    };
    assert.equal(refused.response.allowed, false);
    assert.match(
      refused.response.status.message,
      /^Request rejected by policy q\. The policy attempted to mutate/,
    );
    assert.equal(patchOf(refused), null);
    assert.deepEqual((await post('/validate_raw/w', { request: { a: 1 } })).body, {
      response: { uid: '', allowed: true, auditAnnotations: null, warnings: null },
    });
    assert.deepEqual(patchOf((await post('/audit/q', podReview({ object: { a: 1 } }))).body), [
      { op: 'replace', path: '/a', value: 2 },
    ]);
  });

  test('without `request` it is not judged', async () => {
    const { post } = await openGate('p: {module: allow}', SCRIPTS);
    const { response } = await post('/validate_raw/p', {});
    assert.equal(response.status, 422);
    assert.equal(
      response.body,
      'Failed to deserialize the JSON body into the target type: missing field `request`',
    );
  });
});

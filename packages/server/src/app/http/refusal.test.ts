import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSE, OVERLOADED, refusalResponse, tooLarge, WRONG_METHOD } from './refusal.ts';

test('a refusal is a problem document with the code and advice', () => {
  const { status, headers, body } = refusalResponse(OVERLOADED, '/admission/validate');
  assert.deepEqual(
    [status, headers],
    [429, { 'content-type': 'application/problem+json', 'retry-after': '1' }],
  );
  assert.equal(JSON.parse(body).code, 'PC_OVERLOAD');
});

test("on the paths of Kubewarden's policy-server it is said in its form", () => {
  const said = [WRONG_METHOD, tooLarge(10), OVERLOADED].map((refusal) =>
    refusalResponse({ ...refusal, headers: { ...refusal.headers, ...CLOSE } }, '/validate/labels'),
  );
  assert.deepEqual(
    said.map(({ status, headers, body }) => [status, headers, JSON.parse(body)]),
    [
      [
        405,
        { 'content-type': 'application/json', allow: 'POST', ...CLOSE },
        { message: 'a gate takes only POST', status: 405 },
      ],
      [
        413,
        { 'content-type': 'application/json', ...CLOSE },
        { message: 'the body is larger than 10 bytes', status: 413 },
      ],
      [
        429,
        { 'content-type': 'application/json', 'retry-after': '1', ...CLOSE },
        { message: 'too many reviews are under way', status: 429 },
      ],
    ],
  );
});

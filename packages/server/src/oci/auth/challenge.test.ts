import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseChallenges } from './challenge.ts';

test('a challenge of a token server', () => {
  assert.deepEqual(
    parseChallenges(
      'Bearer realm="https://auth.example/token",service="reg, istry",scope="repository:a/b:pull,push"',
    ),
    [
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.example/token',
          service: 'reg, istry',
          scope: 'repository:a/b:pull,push',
        },
      },
    ],
  );
});

test('several challenges in one header', () => {
  assert.deepEqual(parseChallenges('Negotiate, Basic realm="a \\"b\\"" , BEARER Realm=x, service=y'), [
    { scheme: 'negotiate', parameters: {} },
    { scheme: 'basic', parameters: { realm: 'a "b"' } },
    { scheme: 'bearer', parameters: { realm: 'x', service: 'y' } },
  ]);
});

test('the first of two parameters of one name counts', () => {
  assert.deepEqual(parseChallenges('Bearer realm="https://a",realm="https://b"')[0]?.parameters, {
    realm: 'https://a',
  });
});

test('any text ends, with challenges or without', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'B', '"', '\\', ',', '=', ' ', '/', 'é') }),
      (text) => {
        for (const { scheme } of parseChallenges(text)) assert.match(scheme, /^[^\s,="]+$/);
      },
    ),
    { seed: 5, numRuns: 3000 },
  );
});

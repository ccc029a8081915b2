import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicySpec, Verdict } from '@portcullis/contract';
import * as fc from 'fast-check';
import { openAccessServer } from '../support/access-server.ts';
import { abstain, answerOf, fault, knows, NO_REMARKS, tokenReview } from './token-review.ts';

interface Part {
  readonly verdict: Verdict;
  readonly mode: PolicySpec['mode'];
  readonly failurePolicy: PolicySpec['failurePolicy'];
}

const audience = fc.constantFrom('a', 'b', 'c');
const audiences = fc.uniqueArray(audience, { maxLength: 3 });
const deny: Verdict = { outcome: 'deny', message: 'revoked', causes: [], ...NO_REMARKS };
const part: fc.Arbitrary<Part> = fc.record({
  verdict: fc.oneof(
    { weight: 3, arbitrary: fc.constant<Verdict>(abstain) },
    { weight: 2, arbitrary: fc.constant<Verdict>(fault) },
    { weight: 1, arbitrary: fc.constant(deny) },
    { weight: 3, arbitrary: fc.option(audiences).map((granted) => knows('ana', granted ?? undefined)) },
    { weight: 1, arbitrary: fc.constant(knows('')) },
  ),
  mode: fc.constantFrom('enforce', 'enforce', 'enforce', 'warn', 'audit'),
  failurePolicy: fc.constantFrom('Fail', 'Ignore'),
});

interface Expected {
  readonly authenticated: boolean;
  readonly audiences?: readonly string[];
  readonly hasError: boolean;
  readonly asked: number;
}

/** What the page on the protocol says, word by word, with no eye on how it is done. */
function model(parts: readonly Part[], wanted: readonly string[], own: readonly string[]): Expected {
  let hasError = false;
  for (const [index, { verdict, mode, failurePolicy }] of parts.entries()) {
    if (mode !== 'enforce') continue;
    const asked = index + 1;
    if (verdict.outcome === 'deny') return { authenticated: false, hasError: false, asked };
    if (verdict.outcome === 'fault' || (verdict.outcome === 'allow' && verdict.user?.username === '')) {
      if (failurePolicy === 'Fail') hasError = true;
      continue;
    }
    if (verdict.outcome === 'abstain') continue;
    const told = toldAudiences(verdict.audiences ?? [], wanted, own);
    if (told === undefined) continue;
    return { authenticated: true, hasError: false, asked, ...(told.length > 0 ? { audiences: told } : {}) };
  }
  return { authenticated: false, hasError, asked: parts.length };
}

/** Undefined: the token is for something else. */
function toldAudiences(
  granted: readonly string[],
  wanted: readonly string[],
  own: readonly string[],
): readonly string[] | undefined {
  const given = granted.length > 0 ? granted : own;
  const needed = wanted.length > 0 ? wanted : own;
  if (given.length === 0 || needed.length === 0) return granted;
  const both = needed.filter((name) => given.includes(name));
  return both.length === 0 ? undefined : both;
}

test('policies in any order and of any kind say what a naive model says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), audiences, audiences, async (parts, wanted, own) => {
      const server = openAccessServer({
        gate: 'authentication',
        policies: parts.map(({ verdict, mode, failurePolicy }, index) => ({
          name: `p${index}`,
          script: () => verdict,
          spec: { mode, failurePolicy },
        })),
        audiences: own,
      });
      const { status } = answerOf(await server.send(tokenReview('t', wanted)));
      const expected = model(parts, wanted, own);
      assert.deepEqual(
        {
          authenticated: status.authenticated,
          hasError: status.error !== undefined,
          asked: server.asked.length,
          ...(status.audiences?.length ? { audiences: status.audiences } : {}),
        },
        expected,
      );
      assert.equal(status.user !== undefined, status.authenticated);
      assert.deepEqual(
        server.asked,
        parts.slice(0, expected.asked).map((_, index) => `p${index}`),
      );
    }),
    { seed: 5, numRuns: 1000 },
  );
});

test('no body whatever is authenticated by anything but the token in its spec', async () => {
  const server = openAccessServer({
    gate: 'authentication',
    policies: [
      {
        name: 'desk',
        script: ({ request }) =>
          JSON.stringify(request.value()).includes('"token":"desk-42"') ? knows('ana') : abstain,
      },
    ],
  });
  const member = fc.constantFrom(
    'kind',
    'apiVersion',
    'spec',
    'token',
    'audiences',
    'status',
    'x',
    '__proto__',
  );
  const value = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('TokenReview', 'authentication.k8s.io/v1', 'desk-42', 'desk-43', '', null, 1, true),
      fc.array(tie('value'), { maxLength: 2 }),
      fc.dictionary(member, tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  const near = fc.tuple(
    fc.dictionary(member, value, { maxKeys: 2 }),
    fc.dictionary(member, value, { maxKeys: 2 }),
  );
  await fc.assert(
    fc.asyncProperty(near, async ([outer, spec]) => {
      const document: Record<string, unknown> = {
        kind: 'TokenReview',
        apiVersion: 'authentication.k8s.io/v1',
        spec: { token: 'desk-43', ...spec },
        ...outer,
      };
      const response = await server.send(JSON.stringify(document));
      const { status } = answerOf(response);
      const { kind, apiVersion, spec: sent } = document;
      const isReview = kind === 'TokenReview' && apiVersion === 'authentication.k8s.io/v1';
      const isKnown = (sent as { readonly token?: unknown } | null)?.token === 'desk-42';
      if (status.authenticated) assert.ok(isReview && isKnown);
      else assert.ok(response.status === 400 || !isKnown, response.body);
    }),
    { seed: 6, numRuns: 3000 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicySpec, Verdict } from '@portcullis/contract';
import * as fc from 'fast-check';
import { openAccessServer } from '../support/access-server.ts';
import { accessReview, answerOf, broken, noOpinion, permit, refuse } from './access-review.ts';

interface Part {
  readonly verdict: Verdict;
  readonly mode: PolicySpec['mode'];
  readonly failurePolicy: PolicySpec['failurePolicy'];
}

const error = fc.option(fc.constant('odd'), { nil: undefined });
const part: fc.Arbitrary<Part> = fc.record({
  verdict: fc.oneof(
    { weight: 3, arbitrary: error.map((text) => noOpinion(undefined, text)) },
    { weight: 1, arbitrary: fc.constant(broken) },
    { weight: 1, arbitrary: error.map((text) => permit('yes', text)) },
    { weight: 1, arbitrary: error.map((text) => refuse('no', text)) },
  ),
  mode: fc.constantFrom('enforce', 'enforce', 'enforce', 'warn', 'audit'),
  failurePolicy: fc.constantFrom('Fail', 'Ignore'),
});

interface Expected {
  readonly allowed: boolean;
  readonly denied: boolean;
  readonly errors: number;
  readonly asked: number;
}

/** The rows of the protocol, and what fault and mode mean, with no eye on how it is done. */
function model(parts: readonly Part[]): Expected {
  let errors = 0;
  for (const [index, { verdict, mode, failurePolicy }] of parts.entries()) {
    const isFault = verdict.outcome === 'fault';
    if (mode !== 'audit' && (isFault || verdict.error !== undefined)) errors += 1;
    if (mode !== 'enforce') continue;
    const asked = index + 1;
    if (verdict.outcome === 'allow') return { allowed: true, denied: false, errors, asked };
    if (verdict.outcome === 'deny' || (isFault && failurePolicy === 'Fail'))
      return { allowed: false, denied: true, errors, asked };
  }
  return { allowed: false, denied: false, errors, asked: parts.length };
}

test('policies in any order and of any kind say what a naive model says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
      const server = openAccessServer({
        gate: 'authorization',
        policies: parts.map(({ verdict, mode, failurePolicy }, index) => ({
          name: `p${index}`,
          script: () => verdict,
          spec: { mode, failurePolicy },
        })),
      });
      const { status } = answerOf(await server.send(accessReview()));
      assert.deepEqual(
        {
          allowed: status.allowed,
          denied: status.denied ?? false,
          errors: status.evaluationError?.split('; ').length ?? 0,
          asked: server.asked.length,
        },
        model(parts),
      );
    }),
    { seed: 7, numRuns: 1000 },
  );
});

test('no body whatever is allowed anything but what its spec asks for', async () => {
  const server = openAccessServer({
    gate: 'authorization',
    policies: [
      {
        name: 'only-ana',
        script: ({ user, verb, path }) =>
          user.username === 'ana' && verb === 'get' && path === '/logs' ? permit() : noOpinion(),
      },
    ],
  });
  const member = fc.constantFrom(
    'user',
    'groups',
    'extra',
    'path',
    'verb',
    'nonResourceAttributes',
    'x',
    '__proto__',
  );
  const value = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('ana', 'eve', 'get', 'put', '/logs', '/secret', '', null, 1, true),
      fc.array(tie('value'), { maxLength: 2 }),
      fc.dictionary(member, tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  const members = fc.dictionary(member, value, { maxKeys: 2 });
  await fc.assert(
    fc.asyncProperty(members, members, fc.constantFrom('ana', 'eve'), async (outer, inner, user) => {
      const spec: Record<string, unknown> = {
        user,
        nonResourceAttributes: { verb: 'get', path: '/logs', ...inner },
        ...outer,
      };
      const response = await server.send(accessReview(spec));
      const { status } = answerOf(response);
      const wish = spec['nonResourceAttributes'] as Record<string, unknown> | null;
      const isMeant = spec['user'] === 'ana' && wish?.['verb'] === 'get' && wish['path'] === '/logs';
      if (status.allowed) assert.ok(isMeant);
      else assert.ok(response.status === 400 || !isMeant, response.body);
    }),
    { seed: 8, numRuns: 3000 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue, Review, Verdict } from '@portcullis/contract';
import * as fc from 'fast-check';
import { applyMutation } from '../../../src/chain/mutate.ts';
import { wasiVerdict } from '../../../src/engines/wasi/wasi-verdict.ts';
import { isFault } from '../../../src/kernel/fault.ts';
import { CollectedOutput } from '../../../src/wasm/wasi/wasi-context.ts';
import { makeReview } from '../../support/make-review.ts';
import { accessReview, admission, answered, envelope, tokenReview } from './support/guest.ts';

const NO_REMARKS = { warnings: [], auditAnnotations: {} };

/** The reading of an output, without a guest. */
function read(text: string | Uint8Array, review: Review, phase: 'validate' | 'mutate' = 'validate'): Verdict {
  const output = new CollectedOutput(1 << 20);
  output.take(Buffer.from(text));
  return wasiVerdict({ output }, { review, phase, policy: 'tested' });
}

function faultOf(verdict: Verdict): string {
  return verdict.outcome === 'fault' ? `${verdict.code} ${verdict.message}` : verdict.outcome;
}

test('nulls and keys that nobody knows mean nothing', () => {
  const response = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: null,
    response: {
      uid: 'uid-1',
      allowed: true,
      status: null,
      patch: null,
      patchType: null,
      auditAnnotations: null,
      warnings: null,
      later: [1],
    },
  };
  const text = `${JSON.stringify({ response, error: null, log: 'x' })}\n`;
  assert.deepEqual(read(text, makeReview()), { outcome: 'allow', ...NO_REMARKS });
  assert.equal(read(JSON.stringify({ response, error: '' }), makeReview()).outcome, 'allow');
});

test('an error beats the response beside it', () => {
  const text = JSON.stringify({
    response: JSON.parse(admission({ allowed: true })).response as JsonValue,
    error: 'no object',
  });
  assert.equal(faultOf(read(text, makeReview())), "PC_WASI_ERROR envelope error: 'no object'");
});

test('a denial has the words of the dialect, with the message, else the reason, else neither', () => {
  const start = 'admission WASM module "tested" denied the request';
  const denials: readonly (readonly [status: JsonValue, told: object])[] = [
    [
      { message: 'bad name', reason: 'Invalid', code: 422 },
      { message: `${start}: bad name`, reason: 'Invalid', code: 422 },
    ],
    [
      { message: '', reason: 'Invalid', code: 0 },
      { message: `${start}: Invalid`, reason: 'Invalid' },
    ],
    [null, { message: `${start} without explanation` }],
  ];
  for (const [status, told] of denials) {
    assert.deepEqual(read(admission({ allowed: false, status }), makeReview()), {
      outcome: 'deny',
      causes: [],
      ...NO_REMARKS,
      ...told,
    });
  }
});

test('warnings and audit annotations are forwarded', () => {
  const remarks = { warnings: ['old'], auditAnnotations: { rule: '3' } };
  for (const allowed of [true, false]) {
    const { outcome, ...verdict } = read(admission({ allowed, ...remarks }), makeReview());
    assert.equal(outcome, allowed ? 'allow' : 'deny');
    assert.partialDeepStrictEqual(verdict, remarks);
  }
});

const FULL = Buffer.from('{"a":1}').toString('base64');
const PATCHES: readonly (readonly [response: object, fault: RegExp])[] = [
  [{ patch: FULL }, /`patch` without `patchType`/],
  [{ patchType: 'Full' }, /`patchType` without `patch`/],
  [{ patch: FULL, patchType: 'JSONPatch' }, /patch type not supported: `JSONPatch`/],
  [{ patch: FULL, patchType: 'full' }, /patch type not supported: `full`/],
  [{ patch: 'e30', patchType: 'Full' }, /not standard base64/],
  [{ patch: 'W10=', patchType: 'Full' }, /does not hold an object/],
  [{ patch: 'ew==', patchType: 'Full' }, /not JSON/],
];

for (const [response, fault] of PATCHES) {
  test(`a mutation ${JSON.stringify(response)} is a fault`, () => {
    const told = faultOf(read(admission({ allowed: true, ...response }), makeReview(), 'mutate'));
    assert.match(told, /^PC_PLUGIN_MUTATION /);
    assert.match(told, fault);
  });
}

test('only a mutating policy changes objects, and never one that is deleted', () => {
  const text = admission({ allowed: true, patch: FULL, patchType: 'Full' });
  assert.match(faultOf(read(text, makeReview())), /a validating policy may not answer with a patch/);
  assert.match(faultOf(read(text, makeReview({}, { operation: 'DELETE' }), 'mutate')), /DELETE/);
  assert.deepEqual(read(text, makeReview(), 'mutate'), {
    outcome: 'allow',
    ...NO_REMARKS,
    mutation: { object: { a: 1 } },
  });
  assert.deepEqual(read(admission({ allowed: true }), makeReview(), 'mutate'), {
    outcome: 'allow',
    ...NO_REMARKS,
  });
});

test('of a complete object only what the guest did becomes a patch; what it did not know stays, with a warning', async () => {
  const object = {
    metadata: { name: 'web', annotations: { old: '1', team: 'a' } },
    spec: { newFeature: { mode: 'x' }, containers: [{ name: 'app', image: 'i', newProbe: { a: 1 } }] },
  };
  const returned = {
    metadata: { name: 'web', annotations: { team: 'a', added: '2' } },
    spec: { containers: [{ name: 'app', image: 'i' }] },
  };
  const patch = Buffer.from(JSON.stringify(returned)).toString('base64');
  const review = makeReview(object);
  const verdict = await answered(admission({ allowed: true, patch, patchType: 'Full' }), {
    review,
    spec: { phase: 'mutate' },
  });
  assert.ok(verdict.outcome === 'allow' && verdict.mutation !== undefined);
  const mutated = applyMutation(review, verdict.mutation);
  assert.ok(mutated !== undefined && !isFault(mutated));
  assert.deepEqual(mutated.patch, [
    { op: 'remove', path: '/metadata/annotations/old' },
    { op: 'add', path: '/metadata/annotations/added', value: '2' },
  ]);
  assert.deepEqual(mutated.object, {
    metadata: { name: 'web', annotations: { team: 'a', added: '2' } },
    spec: object.spec,
  });
  assert.deepEqual(mutated.warnings, [
    'kept fields not returned by the policy: /spec/newFeature, /spec/containers/0/newProbe',
  ]);
  const refusing = applyMutation(review, verdict.mutation, { removals: 'refuse', removable: [] });
  assert.ok(isFault(refusing));
  const declared = applyMutation(review, verdict.mutation, {
    removals: 'refuse',
    removable: ['/spec/newFeature', '/spec/containers/*/newProbe'],
  });
  assert.ok(declared !== undefined && !isFault(declared));
  assert.deepEqual(declared.object, returned);
});

const USER = { username: 'ana', uid: '7', groups: ['desk'], extra: { scopes: ['a', 'b'] } };

test('who authenticated is told whole, with the audiences', async () => {
  const status = { authenticated: true, user: USER, audiences: ['https://api.example.org'] };
  assert.deepEqual(await answered(envelope({ status }), { review: tokenReview('desk-42') }), {
    outcome: 'allow',
    ...NO_REMARKS,
    user: USER,
    audiences: ['https://api.example.org'],
  });
  const bare = envelope({ status: { authenticated: true, user: { username: 'ana' }, audiences: [] } });
  assert.deepEqual(read(bare, tokenReview('desk-42')), {
    outcome: 'allow',
    ...NO_REMARKS,
    user: { username: 'ana', groups: [], extra: {} },
  });
});

test('what is null in an answer is not there, in its maps too', () => {
  const user = { username: 'ana', uid: null, groups: null, extra: { scopes: ['a'], none: null } };
  const login = envelope({ status: { authenticated: true, user, audiences: null, error: null } });
  assert.deepEqual(read(login, tokenReview('desk-42')), {
    outcome: 'allow',
    ...NO_REMARKS,
    user: { username: 'ana', groups: [], extra: { scopes: ['a'] } },
  });
  const remarked = admission({ allowed: true, auditAnnotations: { rule: '3', none: null } });
  assert.partialDeepStrictEqual(read(remarked, makeReview()), { auditAnnotations: { rule: '3' } });
  const nobody = envelope({ status: { authenticated: true, user: { username: null } } });
  assert.match(faultOf(read(nobody, tokenReview('desk-42'))), /without a username/);
});

test('not authenticated is no opinion, with an error it is a fault', () => {
  for (const status of [{}, { authenticated: false }, { authenticated: false, error: '', user: {} }]) {
    assert.equal(read(envelope({ status }), tokenReview('desk-42')).outcome, 'abstain');
  }
  const failed = envelope({ status: { authenticated: false, error: 'no token in request' } });
  assert.equal(faultOf(read(failed, tokenReview('desk-42'))), 'PC_WASI_ERROR no token in request');
});

test('nobody is authenticated without a name, or by an answer of a wrong type', () => {
  const statuses = [
    { authenticated: true },
    { authenticated: true, user: { username: '' } },
    { authenticated: true, user: { uid: '0', groups: ['system:masters'] } },
    { authenticated: 'true', user: USER },
    { authenticated: true, user: { ...USER, groups: 'desk' } },
    { authenticated: true, user: { ...USER, extra: { scopes: 'a' } } },
    { authenticated: true, user: USER, audiences: 'x' },
  ];
  for (const status of statuses)
    assert.match(
      faultOf(read(envelope({ status }), tokenReview('desk-42'))),
      /^PC_WASI_OUTPUT /,
      JSON.stringify(status),
    );
  assert.match(faultOf(read(envelope({}), tokenReview('desk-42'))), /no `status`/);
  const wrong = envelope({ kind: 'SubjectAccessReview', status: { authenticated: true, user: USER } });
  assert.match(faultOf(read(wrong, tokenReview('desk-42'))), /`kind` of its answer must be `TokenReview`/);
});

test('an authorizer allows, denies, or has no opinion; denied counts more than allowed', () => {
  const rows: readonly (readonly [status: object, verdict: object])[] = [
    [
      { allowed: true, reason: 'desk' },
      { outcome: 'allow', message: 'desk', ...NO_REMARKS },
    ],
    [{ allowed: false }, { outcome: 'abstain', ...NO_REMARKS }],
    [
      { allowed: false, evaluationError: 'half' },
      { outcome: 'abstain', error: 'half', ...NO_REMARKS },
    ],
    [
      { allowed: false, denied: true, reason: 'night' },
      { outcome: 'deny', message: 'night', causes: [], ...NO_REMARKS },
    ],
    [
      { denied: true, reason: 'night' },
      { outcome: 'deny', message: 'night', causes: [], ...NO_REMARKS },
    ],
    [
      { allowed: true, denied: true },
      {
        outcome: 'deny',
        message: 'denied by policy',
        causes: [],
        error: 'the answer is both allowed and denied',
        ...NO_REMARKS,
      },
    ],
  ];
  for (const [status, verdict] of rows)
    assert.deepEqual(read(envelope({ status }), accessReview('get')), verdict);
  assert.match(
    faultOf(read(envelope({ status: { denied: false } }), accessReview('get'))),
    /`allowed` is missing/,
  );
});

/** Answers whose parts are right, wrong or missing. */
const part = <T>(right: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 9, arbitrary: right }, { weight: 1, arbitrary: fc.jsonValue() });
const user = fc.record({ username: part(fc.constantFrom('ana', '')) });
const status = fc.record({
  authenticated: part(fc.boolean()),
  allowed: part(fc.boolean()),
  denied: part(fc.constantFrom(false, false, true)),
  user: part(user),
});
const response = fc.record({
  uid: part(fc.constant('uid-1')),
  allowed: part(fc.boolean()),
  warnings: part(fc.constant([])),
});
const kinds = fc.constantFrom(
  { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
  { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview' },
  { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' },
);
const answers = fc.record({
  error: part(fc.constantFrom(null, '')),
  response: part(
    fc
      .tuple(kinds, fc.record({ response: part(response), status: part(status) }))
      .map(([kind, rest]) => ({ ...kind, ...rest })),
  ),
});

interface Answer {
  readonly response?: {
    readonly response?: { readonly uid?: unknown; readonly allowed?: unknown };
    readonly status?: {
      readonly authenticated?: unknown;
      readonly allowed?: unknown;
      readonly denied?: unknown;
      readonly user?: { readonly username?: unknown };
    };
  };
}

const isName = (value: unknown): boolean => typeof value === 'string' && value !== '';

test('any JSON is read without throwing, and allows only where it says so in the right place', () => {
  let allowed = 0;
  const property = fc.property(answers, (answer) => {
    const said = (answer as Answer).response;
    const text = JSON.stringify(answer);
    const verdicts = [makeReview(), tokenReview('desk-42'), accessReview('get')].map(
      (review) => read(text, review).outcome,
    );
    allowed += verdicts.filter((outcome) => outcome === 'allow').length;
    const [admitted, authenticated, authorized] = verdicts;
    if (admitted === 'allow') assert.ok(said?.response?.allowed === true && said.response.uid === 'uid-1');
    if (authenticated === 'allow')
      assert.ok(said?.status?.authenticated === true && isName(said.status.user?.username));
    if (authorized === 'allow') assert.ok(said?.status?.allowed === true && said.status.denied !== true);
  });
  fc.assert(property, { numRuns: 1500, seed: 8 });
  assert.ok(allowed > 100, `${allowed} of them allowed: the property says little`);
});

test('any bytes are read without throwing, and none of them allows', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      for (const review of [makeReview(), tokenReview('desk-42'), accessReview('get')])
        assert.equal(read(bytes, review).outcome, 'fault');
    }),
    { numRuns: 300, seed: 9 },
  );
});

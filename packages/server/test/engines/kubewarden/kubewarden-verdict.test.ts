import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MutationRules, Phase, Review, Verdict } from '@portcullis/contract';
import { parseOutput, parseSettingsOutput } from '../../../src/engines/kubewarden/kubewarden-output.ts';
import { kubewardenFault, kubewardenVerdict } from '../../../src/engines/kubewarden/kubewarden-verdict.ts';
import { jsonDocumentOf } from '../../../src/kernel/json/json-document.ts';
import { isFault } from '../../../src/kernel/fault.ts';
import { makeReview } from '../../support/make-review.ts';

const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { later: { a: 1 } } };
const NO_REMARKS = { warnings: [], auditAnnotations: {} };

interface Asked {
  readonly phase?: Phase;
  readonly review?: Review;
  readonly rules?: MutationRules;
  readonly policyType?: 'kubernetes' | 'raw';
}

function verdictOf(
  answer: object | string,
  { phase = 'validate', review = makeReview(POD), rules, policyType = 'kubernetes' }: Asked = {},
): Verdict {
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
  const output = parseOutput(Buffer.from(text));
  if (isFault(output)) return kubewardenFault(output);
  return kubewardenVerdict(output, {
    review,
    phase,
    policy: 'labels',
    policyType,
    ...(rules === undefined ? {} : { rules }),
  });
}

test('accepted, with all that may come along; null is absence and unknown keys are ignored', () => {
  assert.deepEqual(verdictOf('{"accepted":true}'), { outcome: 'allow', ...NO_REMARKS });
  assert.deepEqual(
    verdictOf(
      '{"accepted":true,"message":null,"code":null,"mutated_object":null,"audit_annotations":null,"warnings":null,"more":1}',
    ),
    { outcome: 'allow', ...NO_REMARKS },
  );
  assert.deepEqual(
    verdictOf({ accepted: true, message: 'fine', code: 200, audit_annotations: { a: 'b' }, warnings: ['w'] }),
    { outcome: 'allow', message: 'fine', code: 200, warnings: ['w'], auditAnnotations: { a: 'b' } },
  );
});

test('rejected: message, code where it is the status of an error, remarks', () => {
  const denied = (code: number | undefined): Verdict =>
    verdictOf({ accepted: false, message: 'no', code, warnings: ['w'], audit_annotations: { a: 'b' } });
  const expected = {
    outcome: 'deny',
    message: 'no',
    causes: [],
    warnings: ['w'],
    auditAnnotations: { a: 'b' },
  };
  assert.deepEqual(denied(422), { ...expected, code: 422 });
  for (const code of [undefined, 0, 200, 399, 600, 65_535]) assert.deepEqual(denied(code), expected);
  const silent = verdictOf('{"accepted":false,"message":""}');
  assert.equal(silent.outcome === 'deny' && silent.message, 'the policy `labels` rejected the request');
});

test('an answer of another form is a fault', () => {
  for (const [answer, why] of [
    ['', 'it is empty'],
    ['[]', 'it is not a JSON object'],
    ['{}', '`accepted` is missing'],
    ['{"accepted":null}', '`accepted` is missing'],
    ['{"accepted":1}', '`accepted` must be true or false'],
    ['{"accepted":true,"code":65536}', '`code` must be an integer from 0 to 65535'],
    ['{"accepted":true,"warnings":[null]}', '`warnings` must be an array of strings'],
    ['{"accepted":true,"audit_annotations":{"a":null}}', '`audit_annotations` must be an object of strings'],
  ]) {
    assert.deepEqual(verdictOf(answer as string), {
      outcome: 'fault',
      code: 'PC_KUBEWARDEN_OUTPUT',
      message: `Cannot deserialize policy validation response: ${why}`,
    });
  }
});

test('a mutation reaches the chain in the mutating phase only, and never with a denial', () => {
  const changed = { ...POD, metadata: { name: 'web', labels: { a: 'b' } } };
  assert.deepEqual(verdictOf({ accepted: true, mutated_object: changed }, { phase: 'mutate' }), {
    outcome: 'allow',
    ...NO_REMARKS,
    mutation: { object: changed },
  });
  assert.equal(
    'mutation' in verdictOf({ accepted: false, mutated_object: changed }, { phase: 'mutate' }),
    false,
  );
  const refused = verdictOf({ accepted: true, mutated_object: changed });
  assert.equal(
    refused.outcome === 'deny' && refused.message,
    'Request rejected by policy labels. The policy attempted to mutate the request, but it is currently configured to not allow mutations.',
  );
});

test('the object as it was is no mutation, nor is one without what a typed guest does not know', () => {
  assert.equal(verdictOf({ accepted: true, mutated_object: POD }).outcome, 'allow');
  const { spec: _spec, ...withoutSpec } = POD;
  assert.equal(verdictOf({ accepted: true, mutated_object: withoutSpec }).outcome, 'allow');
  const honour = { removals: 'honour', removable: [] } as const;
  assert.equal(verdictOf({ accepted: true, mutated_object: withoutSpec }, { rules: honour }).outcome, 'deny');
  const refuse = { removals: 'refuse', removable: [] } as const;
  assert.equal(
    verdictOf({ accepted: true, mutated_object: withoutSpec }, { rules: refuse }).outcome,
    'fault',
  );
  assert.equal(verdictOf({ accepted: true, mutated_object: 7 }).outcome, 'fault');
});

test('a mutation of nothing is denied', () => {
  const { object: _object, ...review } = makeReview(undefined, { operation: 'DELETE' });
  for (const phase of ['validate', 'mutate'] as const) {
    const verdict = verdictOf({ accepted: true, mutated_object: POD }, { phase, review });
    assert.match(verdict.outcome === 'deny' ? verdict.message : '', /^Incoming object is null/);
  }
});

test('a policy for raw requests changes any JSON, and nothing of an AdmissionReview', () => {
  const request = { user: 'ana', groups: [] };
  const whole = jsonDocumentOf(request);
  const raw = makeReview(undefined, { object: whole, request: whole, isRaw: true });
  const answer = { accepted: true, mutated_object: { ...request, groups: ['staff'] } };
  const mutated = { outcome: 'allow', ...NO_REMARKS, mutation: { object: answer.mutated_object } };
  for (const policyType of ['raw', 'kubernetes'] as const) {
    assert.deepEqual(verdictOf(answer, { phase: 'mutate', review: raw, policyType }), mutated);
  }
  const kubernetes = makeReview(POD);
  for (const phase of ['mutate', 'validate'] as const) {
    const asked = { phase, review: kubernetes, policyType: 'raw' } as const;
    const verdict = verdictOf({ accepted: true, mutated_object: POD }, asked);
    assert.match(
      verdict.outcome === 'fault' ? verdict.message : '',
      /^a policy for raw requests changes the whole/,
    );
    const same = { accepted: true, mutated_object: kubernetes.request.value() };
    assert.deepEqual(verdictOf(same, asked), { outcome: 'allow', ...NO_REMARKS });
  }
});

test('answers about settings', () => {
  const parse = (text: string): unknown => {
    const output = parseSettingsOutput(Buffer.from(text));
    return isFault(output) ? output.code : output;
  };
  assert.deepEqual(parse('{"valid":true,"message":null}'), { valid: true });
  assert.deepEqual(parse('{"valid":false,"message":"no team"}'), { valid: false, message: 'no team' });
  for (const text of ['', 'true', '{}', '{"valid":"true"}', '{"valid":null}', '{"valid":true,"message":1}'])
    assert.equal(parse(text), 'PC_KUBEWARDEN_OUTPUT', text);
});

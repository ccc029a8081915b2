import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision, Phase } from '@portcullis/contract';
import * as fc from 'fast-check';
import { isFault } from '../../src/kernel/fault.ts';
import { encodeResponse } from '../../src/gates/kube-admission/encode-response.ts';
import { legalAnnotations } from '../../src/gates/kube-admission/legal-annotations.ts';
import { legalWarnings } from '../../src/gates/kube-admission/legal-warnings.ts';
import { parseAdmissionReview } from '../../src/gates/kube-admission/parse-admission-review.ts';
import { reviewBody } from './review-body.ts';

const ALLOW: Decision = {
  outcome: 'allow',
  causes: [],
  warnings: [],
  auditAnnotations: {},
  contributions: [],
  revision: 1,
};

function encode(
  decision: Partial<Decision>,
  phase: Phase = 'validate',
  body = reviewBody(),
): Record<string, unknown> {
  const parsed = parseAdmissionReview(body, 0);
  assert.ok(!isFault(parsed));
  const review = JSON.parse(encodeResponse({ ...ALLOW, ...decision }, parsed, phase)) as Record<
    string,
    unknown
  >;
  assert.equal(review['kind'], 'AdmissionReview');
  return review;
}

test('an allow is no more than uid and allowed', () => {
  assert.deepEqual(encode({}), {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: 'u-1', allowed: true },
  });
});

test('uid and version are those of the request', () => {
  const body = reviewBody({ uid: 'a"\\\n\u2028é' }, { apiVersion: 'admission.k8s.io/v1beta1' });
  const review = encode({}, 'validate', body);
  assert.equal(review['apiVersion'], 'admission.k8s.io/v1beta1');
  assert.deepEqual(review['response'], { uid: 'a"\\\n\u2028é', allowed: true });
});

function statusOf(decision: Partial<Decision>): unknown {
  return (encode({ outcome: 'deny', ...decision })['response'] as { status: unknown }).status;
}

test('a denial has a code, a message that is not empty, a reason and its causes', () => {
  assert.deepEqual(statusOf({ message: '[p] no\nnever' }), {
    code: 403,
    message: '[p] no\nnever',
    reason: 'Forbidden',
  });
  assert.deepEqual(
    statusOf({
      message: 'no',
      reason: 'PolicyViolation',
      causes: [{ message: 'a', field: 'spec.x', reason: 'Required', value: 3 }, { message: 'b' }],
    }),
    {
      code: 422,
      message: 'no',
      reason: 'PolicyViolation',
      details: { causes: [{ reason: 'Required', message: 'a', field: 'spec.x' }, { message: 'b' }] },
    },
  );
  assert.deepEqual(statusOf({ message: ' ', code: 200 }), {
    code: 403,
    message: 'Validation failed',
    reason: 'Forbidden',
  });
  assert.deepEqual(statusOf({ message: 'm', code: 409 }), { code: 409, message: 'm', reason: 'Forbidden' });
  const { message } = statusOf({ message: `\u001b[31m${'x'.repeat(100_000)}\ud800` }) as { message: string };
  assert.ok(message.length <= 32 * 1024);
  assert.ok(message.startsWith('[31mx') && message.endsWith('x…'));
});

test('a patch goes out when allowed while mutating, and only when it has operations', () => {
  const patch = [{ op: 'add', path: '/a', value: 'é' }] as const;
  const { response } = encode({ patch }, 'mutate') as { response: Record<string, string> };
  assert.equal(response['patchType'], 'JSONPatch');
  assert.deepEqual(JSON.parse(Buffer.from(response['patch'] ?? '', 'base64').toString()), patch);
  for (const [decision, phase] of [
    [{ patch: [] }, 'mutate'],
    [{}, 'mutate'],
    [{ patch }, 'validate'],
    [{ patch, outcome: 'deny' }, 'mutate'],
  ] as const) {
    const other = encode(decision, phase)['response'] as object;
    assert.ok(!('patch' in other) && !('patchType' in other));
  }
});

test('warnings: one line each, no two alike, none empty, long ones broken between words', () => {
  const long = `[p] ${'word '.repeat(40)}end`;
  assert.deepEqual(legalWarnings(['a\tb\r\nc', '', ' \u0000', 'a b c', 'x\u0085y\u2028z', 'é\ud800', long]), [
    'a b c',
    'x y z',
    'é\ufffd',
    `[p] ${'word '.repeat(23)}`.trim(),
    `… ${'word '.repeat(17)}end`,
  ]);
});

test('warnings stay legal whatever they hold', () => {
  const warning = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 600 }),
    fc.string({ unit: 'grapheme', maxLength: 600 }),
  );
  fc.assert(
    fc.property(fc.array(warning, { maxLength: 40 }), (warnings) => {
      const legal = legalWarnings(warnings);
      assert.ok(Array.from(legal.join('')).length <= 4096);
      assert.equal(new Set(legal).size, legal.length);
      for (const line of legal) {
        assert.match(line, /^\P{Cc}{1,120}$/v);
        assert.ok(line.isWellFormed() && line.trim() !== '' && line.length <= 120);
      }
    }),
    { seed: 10, numRuns: 500 },
  );
});

test('too many warnings are counted', () => {
  const many = Array.from({ length: 200 }, (_, index) => `warning number ${index} ${'x'.repeat(60)}`);
  const legal = legalWarnings(many);
  assert.match(legal.at(-1) ?? '', /^\d+ more warnings are not shown in full$/);
  assert.equal(legal.length - 1 + Number.parseInt(legal.at(-1) ?? '', 10), 200);
});

test('of very many warnings, alike or empty ones too, only the first are looked at', () => {
  for (const text of ['', 'the same']) {
    assert.equal(
      legalWarnings(Array<string>(5000).fill(text)).at(-1),
      '4000 more warnings are not shown in full',
    );
  }
});

test('annotation keys become legal', () => {
  const long = 'k'.repeat(80);
  const legal = legalAnnotations({
    'p/checked': 'true',
    'image-registry-validator/image-registry-validator.stellar.org/checked': 'true',
    'p/pretty': 'x',
    'p/p': 'y',
    'p/ä b': 'z',
    'p/___': '1',
    [`p/${long}`]: '2',
  });
  assert.deepEqual(legal, {
    'image-registry-validator.stellar.org.checked': 'true',
    'p.checked': 'true',
    [`p.${'k'.repeat(52)}-${Object.keys(legal ?? {})
      .find((key) => key.startsWith('p.kk'))
      ?.slice(-8)}`]: '2',
    'p-15d5f2ff': 'y',
    'p.pretty': 'x',
    'p...b': 'z',
    p: '1',
  });
});

test('no annotations, no member', () => {
  assert.equal(legalAnnotations({}), undefined);
  assert.deepEqual(encode({ auditAnnotations: { 'p/a': '1' } })['response'], {
    uid: 'u-1',
    allowed: true,
    auditAnnotations: { 'p.a': '1' },
  });
});

test('annotations stay legal, distinct and the same at each call, whatever the keys', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.constantFrom('a', 'a.b', 'a-b', 'a/b', '__proto__', 'portcullis.truncated'),
  );
  const key = fc
    .tuple(fc.constantFrom('a', 'a.b', 'portcullis'), part)
    .map(([policy, name]) => `${policy}/${name}`);
  fc.assert(
    fc.property(
      fc.dictionary(key, fc.string({ unit: 'binary', maxLength: 50 }), { maxKeys: 30 }),
      (annotations) => {
        const legal = legalAnnotations(annotations) ?? {};
        assert.equal(Object.keys(legal).length, Object.keys(annotations).length);
        assert.deepEqual(legalAnnotations(annotations) ?? {}, legal);
        for (const [name, value] of Object.entries(legal)) {
          assert.match(name, /^(?=.{1,63}$)[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/);
          assert.ok(value.isWellFormed());
        }
      },
    ),
    { seed: 11, numRuns: 1000 },
  );
});

test('annotations are bounded in number and size', () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`p/k${index}`, 'v']));
  const legal = legalAnnotations(many) ?? {};
  assert.equal(Object.keys(legal).length, 65);
  assert.equal(legal['portcullis.truncated'], '236 more annotations are not kept');
  const big = legalAnnotations({ 'p/a': 'x'.repeat(1_000_000) }) ?? {};
  assert.equal(big['p.a']?.length, 4096);
});

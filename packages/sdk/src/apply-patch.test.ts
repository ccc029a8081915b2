import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { JsonValue } from './json-value.ts';
import { applyPatch } from './apply-patch.ts';

interface Vector {
  readonly comment?: string;
  readonly doc: JsonValue;
  readonly patch: JsonValue;
  readonly expected?: JsonValue;
  readonly error?: string;
  readonly disabled?: boolean;
}

/** https://github.com/json-patch/json-patch-tests */
const load = createRequire(import.meta.url);
const vectors = ['tests', 'spec_tests'].flatMap(
  (name) => load(`json-patch-test-suite/${name}.json`) as readonly Vector[],
);

test('json-patch-test-suite', async (context) => {
  assert.ok(vectors.length > 80);
  for (const [index, { comment = '', doc, patch, expected, error, disabled }] of vectors.entries()) {
    await context.test(`${index} ${comment}`, { skip: disabled === true && 'disabled in the suite' }, () => {
      if (error === undefined && expected === undefined) applyPatch(doc, patch);
      else if (error === undefined) assert.deepEqual(applyPatch(doc, patch), expected);
      else assert.throws(() => applyPatch(doc, patch), Error, error);
    });
  }
});

test('the document that is patched stays as it is', () => {
  const document = { a: [1] };
  assert.deepEqual(applyPatch(document, [{ op: 'add', path: '/a/-', value: 2 }]), { a: [1, 2] });
  assert.deepEqual(document, { a: [1] });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remember } from './remember.ts';

test('computes once for each text, and again for what was pushed out or is too long', () => {
  const asked: string[] = [];
  const length = remember((text) => {
    asked.push(text);
    return { length: text.length };
  }, 2);
  assert.equal(length('a'), length('a'));
  assert.deepEqual(asked, ['a']);
  length('bb');
  length('ccc');
  assert.deepEqual(length('a'), { length: 1 });
  assert.deepEqual(asked, ['a', 'bb', 'ccc', 'a']);
  const long = 'x'.repeat(5000);
  length(long);
  length(long);
  assert.equal(asked.length, 6);
});

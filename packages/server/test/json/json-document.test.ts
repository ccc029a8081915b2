import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isFault } from '../../src/kernel/fault.ts';
import { canonicalDecimal } from '../../src/kernel/json/decimal.ts';
import { createJsonDocument, jsonDocumentOf, stringifyExact } from '../../src/kernel/json/json-document.ts';
import { jsonEqual } from '../../src/kernel/json/json-equal.ts';
import { parseJson } from '../../src/kernel/json/parse-json.ts';

function roundTrip(text: string): string {
  return stringifyExact(createJsonDocument(Buffer.from(text)).value());
}

test('numbers that a double cannot hold keep their digits', () => {
  for (const number of [
    '9007199254740993',
    '-12345678901234567890',
    '0.12345678901234567890',
    '1e999',
    '1e-999',
  ]) {
    assert.equal(roundTrip(`{"a":[${number}],"b":"${number}"}`), `{"a":[${number}],"b":"${number}"}`);
    assert.equal(typeof createJsonDocument(Buffer.from(number)).value(), 'object');
  }
  for (const number of [
    '1',
    '0.1',
    '9007199254740992',
    '1e2',
    '-0',
    '1.50',
    '1e21',
    '100000000000000000000',
  ]) {
    assert.equal(typeof createJsonDocument(Buffer.from(number)).value(), 'number', number);
  }
});

test('a hostile key is a key', () => {
  for (const text of ['{"__proto__":{"a":1}}', '{"__proto__":{"a":12345678901234567890},"constructor":1}']) {
    const value = createJsonDocument(Buffer.from(text)).value() as object;
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.equal(stringifyExact(value as never), text);
  }
  assert.equal(({} as Record<string, unknown>)['a'], undefined);
});

test('the value is parsed once and bytes are written once', () => {
  const parsed = createJsonDocument(Buffer.from('{"a":1}'));
  assert.equal(parsed.value(), parsed.value());
  const written = jsonDocumentOf({ a: 1 });
  assert.equal(written.bytes, written.bytes);
  assert.equal(Buffer.from(written.bytes).toString(), '{"a":1}');
});

test('values survive the way through text', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: true }), (value) => {
      const text = JSON.stringify(value);
      const parsed = parseJson(Buffer.from(text));
      assert.ok(!isFault(parsed), text);
      assert.deepEqual(parsed, JSON.parse(text));
      assert.equal(roundTrip(text), JSON.stringify(JSON.parse(text)));
    }),
    { seed: 4, numRuns: 1000 },
  );
});

test('decimals are equal exactly when their values are', () => {
  for (const same of [
    ['1', '1.0', '10e-1', '0.1E+1'],
    ['0', '-0', '0.00', '0e5'],
    ['-120', '-1.2e2'],
    ['1e400', '10e399'],
  ]) {
    assert.equal(new Set(same.map(canonicalDecimal)).size, 1, same.join(' '));
  }
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      fc.bigInt({ min: 0n, max: 3n }),
      (a, gap) => {
        const left = parseJson(Buffer.from(String(a)));
        const right = parseJson(Buffer.from(`${a + gap}.00`));
        assert.ok(!isFault(left) && !isFault(right));
        assert.equal(jsonEqual(left, right), gap === 0n);
      },
    ),
    { seed: 5, numRuns: 1000 },
  );
});

test('a long run of zeros costs linear time', () => {
  const zeros = `1${'0'.repeat(2_000_000)}`;
  assert.equal(canonicalDecimal(`${zeros}1`), `${zeros}1e0`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isFault } from './fault.ts';
import { formatByteSize, parseByteSize, parseQuantity } from './quantity.ts';

test('sizes in bytes', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['16Mi', 16_777_216],
    ['1Gi', 1_073_741_824],
    ['500k', 500_000],
    ['65536', 65_536],
    ['1.5Ki', 1536],
    ['1e3', 1000],
    ['0', 0],
  ];
  for (const [text, bytes] of cases) assert.equal(parseByteSize(text), bytes, text);
});

test('what is no size is a fault that shows it', () => {
  for (const text of ['', '-1', '1.5', '100m', '16mb', '16 Mi', 'Mi', '.', '1e999', '99Ei']) {
    assert.ok(isFault(parseByteSize(text)), text);
  }
  const fault = parseByteSize('16MB');
  assert.ok(isFault(fault));
  assert.equal(fault.code, 'PC_POLICY_VALUE');
  assert.equal(fault.message, '`16MB` is not a size such as `16Mi`, `500k` or a number of bytes');
});

test('quantities are exact to the billionth and round away from zero below it', () => {
  const cases: readonly (readonly [string, bigint | undefined])[] = [
    ['1', 1_000_000_000n],
    ['100m', 100_000_000n],
    ['-1.5', -1_500_000_000n],
    ['.5', 500_000_000n],
    ['5.', 5_000_000_000n],
    ['1n', 1n],
    ['0.1n', 1n],
    ['-0.1n', -1n],
    ['1Ki', 1_024_000_000_000n],
    ['12E', 12n * 10n ** 27n],
    ['1E3', 10n ** 12n],
    ['9223372036854775807', 9_223_372_036_854_775_807_000_000_000n],
    ['1kk', undefined],
    ['Ki', undefined],
    ['1 ', undefined],
    ['0x10', undefined],
  ];
  for (const [text, nano] of cases) assert.equal(parseQuantity(text), nano, text);
});

test('a formatted size reads back as itself', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.constantFrom(1, 1024, 1024 ** 2, 1024 ** 3), (count, unit) => {
      const bytes = Math.floor(count / unit) * unit;
      assert.equal(parseByteSize(formatByteSize(bytes)), bytes);
    }),
    { seed: 1 },
  );
  assert.equal(formatByteSize(16_777_216), '16Mi');
});

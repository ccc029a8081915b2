import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatDuration, parseDuration } from './duration.ts';
import { isFault } from './fault.ts';

test('durations as people write them', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['250ms', 250],
    ['1s', 1000],
    ['1.5s', 1500],
    ['0.3s', 300],
    ['1m30s', 90_000],
    ['2h', 7_200_000],
    ['0s', 0],
  ];
  for (const [text, milliseconds] of cases) assert.equal(parseDuration(text), milliseconds, text);
});

test('what is no duration is a fault that shows it', () => {
  for (const text of [
    '',
    '1',
    's',
    '-1s',
    '1 s',
    '1S',
    '1d',
    '1s ',
    '0.5ms',
    '1.s',
    '9'.repeat(40) + 's',
    '1m30',
  ]) {
    const fault = parseDuration(text);
    assert.ok(isFault(fault), text);
    assert.equal(fault.code, 'PC_POLICY_VALUE');
  }
  const fault = parseDuration('5 parsecs');
  assert.ok(isFault(fault));
  assert.equal(fault.message, '`5 parsecs` is not a duration such as `250ms`, `1s` or `1m30s`');
});

test('a formatted duration reads back as itself', () => {
  fc.assert(
    fc.property(fc.nat(), (milliseconds) => {
      assert.equal(parseDuration(formatDuration(milliseconds)), milliseconds);
    }),
    { seed: 1 },
  );
  assert.equal(formatDuration(90_250), '1m30s250ms');
  assert.throws(() => formatDuration(0.5), TypeError);
});

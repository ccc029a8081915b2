import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { byAge } from './by-age.ts';

const aged = fc.record({
  created: fc.constantFrom('', '2026-11-01T10:00:00Z', '2026-11-01T10:00:01Z', '2027-01-01T00:00:00Z'),
  key: fc.stringMatching(/^[a-c]\/[a-c]$/),
});

test('the older one comes first, and of one second the one with the lesser key', () => {
  const sorted = [
    { created: '2026-11-01T10:00:01Z', key: 'a/a' },
    { created: '2026-11-01T10:00:00Z', key: 'b/b' },
    { created: '2026-11-01T10:00:00Z', key: 'b/a' },
  ].sort(byAge);
  assert.deepEqual(
    sorted.map(({ key }) => key),
    ['b/a', 'b/b', 'a/a'],
  );
});

test('the order does not depend on the one in which they were heard of', () => {
  fc.assert(
    fc.property(
      fc
        .uniqueArray(aged, { selector: ({ key }) => key })
        .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => assert.deepEqual(shuffled.sort(byAge), all.toSorted(byAge)),
    ),
    { seed: 4 },
  );
});

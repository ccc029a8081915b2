import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Fault } from '../../kernel/fault.ts';
import { createItemSplitter } from './split-items.ts';

function split(
  chunks: readonly Buffer[],
  maxItemBytes = 1e6,
): { items: unknown[]; rest: unknown; fault: unknown } {
  const items: unknown[] = [];
  const splitter = createItemSplitter(maxItemBytes, (bytes) => {
    items.push(JSON.parse(bytes.toString()));
    return undefined;
  });
  for (const chunk of chunks) {
    const fault = splitter.push(chunk);
    if (fault !== undefined) return { items, rest: undefined, fault };
  }
  return { items, rest: splitter.end(), fault: undefined };
}

function cutAt(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const places = [
    0,
    ...cuts.map((cut) => cut % (bytes.length + 1)).sort((left, right) => left - right),
    bytes.length,
  ];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const cuts = fc.array(fc.nat(), { maxLength: 8 });
const item = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue());

test('every list comes apart into the items that a parser finds, wherever the chunks end', () => {
  fc.assert(
    fc.property(
      fc.record({
        items: fc.array(item),
        others: fc.dictionary(fc.constantFrom('metadata', 'kind', 'x"[{', 'items2'), fc.jsonValue()),
        isLast: fc.boolean(),
        space: fc.constantFrom(undefined, 1, '\t'),
      }),
      cuts,
      ({ items, others, isLast, space }, places) => {
        const list = isLast ? { ...others, items } : { items, ...others };
        const found = split(cutAt(JSON.stringify(list, undefined, space), places));
        assert.deepEqual(found.items, JSON.parse(JSON.stringify(items)));
        assert.deepEqual(found.rest, JSON.parse(JSON.stringify({ ...list, items: items.map(() => 0) })));
      },
    ),
    { seed: 7, numRuns: 500 },
  );
});

test('what is cut off anywhere is no list', () => {
  const text = JSON.stringify({ kind: 'L', items: [{ a: '}]"\\' }, { b: [1, { c: 2 }] }], metadata: {} });
  for (let end = 0; end < text.length; end++) {
    assert.equal(split([Buffer.from(text.slice(0, end))]).rest, undefined, text.slice(0, end));
  }
});

test('nothing but objects between commas is a list', () => {
  for (const text of [
    '{"items":[{},0]}',
    '{"items":[{}{}]}',
    '{"items":[{},]}',
    '{"items":[{}],"items":[]}',
    '{"items":[{}]}}',
    '{"metadata":{"items":[{}]},"items":[{}],"x":',
    '[{"items":[{}]}',
  ]) {
    assert.equal(split([Buffer.from(text)]).rest, undefined, text);
  }
  assert.deepEqual(split([Buffer.from('{"items":null}')]).rest, { items: null });
  assert.deepEqual(split([Buffer.from('{"metadata":{"items":[{}]}}')]).items, []);
});

test('an item that is too long ends it before it is whole', () => {
  const long = Buffer.from(`{"items":[{"a":"${'x'.repeat(100)}`);
  const { fault } = split([long, long], 64);
  assert.ok(fault instanceof Fault);
  assert.equal(fault.message, 'an item of the list is larger than 64 bytes');
});

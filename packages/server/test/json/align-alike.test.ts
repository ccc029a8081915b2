import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '@portcullis/contract';
import * as fc from 'fast-check';
import { isFault } from '../../src/kernel/fault.ts';
import { applyJsonPatch } from '../../src/kernel/json-patch/apply-json-patch.ts';
import { diffToPatch } from '../../src/kernel/json-patch/diff-to-patch.ts';

/** The list of an object after a guest returned another one, and the paths of what it did not know. */
function merged(
  before: readonly JsonValue[],
  after: readonly JsonValue[],
): { readonly list: unknown; readonly kept: readonly string[] } {
  const object = { kind: 'K', list: before };
  const difference = diffToPatch(object, { kind: 'K', list: after }, { removals: 'protect' });
  assert.ok(!isFault(difference), isFault(difference) ? difference.message : '');
  const applied = applyJsonPatch(object, difference.patch);
  assert.ok(!isFault(applied));
  return { list: (applied as JsonObject)['list'], kept: difference.kept };
}

const KNOWN = { ports: [{ port: 32_000 }], from: [{ podSelector: {} }] };
const RULE = { ports: [{ port: 32_000, endPort: 32_768 }], from: [{ podSelector: {} }] };
const OTHER = { ports: [{ port: 53, newer: true }] };

test('a guest that adds an element does not lose what it did not know of those without a name', () => {
  assert.deepEqual(merged([RULE], [KNOWN, { from: [] }]), {
    list: [RULE, { from: [] }],
    kept: ['/list/0/ports/0/endPort'],
  });
});

test('one that removes an element removes that one, and keeps the rest whole', () => {
  assert.deepEqual(merged([RULE, OTHER, { from: [] }], [{ ports: [{ port: 53 }] }, { from: [] }]), {
    list: [OTHER, { from: [] }],
    kept: ['/list/1/ports/0/newer'],
  });
});

test('a new element that is part of an old one is not taken for it where that one is there too', () => {
  for (const after of [
    [{}, KNOWN, { ports: [{ port: 53 }] }],
    [KNOWN, {}, { ports: [{ port: 53 }] }],
    [KNOWN, { ports: [{ port: 53 }] }, {}],
  ]) {
    const { list } = merged([RULE, OTHER], after);
    assert.deepEqual(
      list,
      after.map((element) => (element === KNOWN ? RULE : 'ports' in element ? OTHER : element)),
    );
  }
});

/** Elements that the guest can tell apart by `v`, with fields that it does not know at any depth. */
const unknown = fc.dictionary(fc.constantFrom('u1', 'u2'), fc.jsonValue({ maxDepth: 1 }), {
  noNullPrototype: true,
});
const elements = fc.array(fc.tuple(unknown, unknown), { minLength: 1, maxLength: 8 }).map((parts) =>
  parts.map(([outer, inner], v) => ({
    ...(outer as JsonObject),
    v,
    spec: { v, ...(inner as JsonObject) },
  })),
);
const asKnown = ({ v }: { readonly v: number }): JsonObject => ({ v, spec: { v } });

test('whatever a guest adds and removes, elements that it returned keep what it did not know', () => {
  const edits = fc.array(fc.constantFrom('keep', 'keep', 'drop', 'insert'), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(elements, edits, (before, edit) => {
      const after: JsonValue[] = [];
      const expected: JsonValue[] = [];
      for (const [index, element] of before.entries()) {
        if (edit[index] === 'insert') {
          const fresh = { v: 100 + index };
          after.push(fresh);
          expected.push(fresh);
        }
        if (edit[index] === 'drop') continue;
        after.push(asKnown(element));
        expected.push(element);
      }
      // Of lists of one length elements are told apart by their places.
      fc.pre(after.length !== before.length);
      assert.deepEqual(merged(before, after).list, expected);
    }),
    { seed: 11, numRuns: 300 },
  );
});

test('of long lists the ends are told apart, and what lies between them', () => {
  const before = Array.from({ length: 3000 }, (_, v) => ({ v, u: 1 }));
  const known = before.map(({ v }) => ({ v }));
  const fresh = { v: -1 };
  assert.deepEqual(merged(before, known.slice(0, -1)).list, before.slice(0, -1));
  assert.deepEqual(merged(before, [fresh, ...known]).list, [fresh, ...before]);
  assert.deepEqual(
    merged(before, [...known.slice(0, 1000), fresh, ...known.slice(1002, 2990), ...known.slice(2991)]).list,
    [...before.slice(0, 1000), fresh, ...known.slice(1002, 2990), ...before.slice(2991)],
  );
  assert.deepEqual(
    merged(before, [...known.slice(0, 5), fresh, ...known.slice(7, 100), ...known.slice(102)]).list,
    [...before.slice(0, 5), fresh, ...before.slice(7, 100), ...before.slice(102)],
  );
});

test('of long lists in which nothing is like anything, the guest is taken at its word', () => {
  const before = Array.from({ length: 3000 }, (_, v) => ({ v, u: 1 }));
  const after = Array.from({ length: 2999 }, (_, v) => ({ v: v + 5000 }));
  assert.deepEqual(merged(before, after).list, after);
});

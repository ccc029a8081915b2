import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import type { JsonPatch, JsonValue } from '@portcullis/contract';
import * as fc from 'fast-check';
import { isFault } from '../../src/kernel/fault.ts';
import { applyJsonPatch } from '../../src/kernel/json-patch/apply-json-patch.ts';
import { checkEmission } from '../../src/kernel/json-patch/check-emission.ts';
import { parseJsonPatch } from '../../src/kernel/json-patch/parse-json-patch.ts';
import { parseJson } from '../../src/kernel/json/parse-json.ts';
import { stringifyExact } from '../../src/kernel/json/json-document.ts';
import { EXTRA_RECORDS } from './json-patch-records.ts';

interface PatchRecord {
  readonly comment?: string;
  readonly doc?: JsonValue;
  readonly patch?: unknown;
  readonly expected?: JsonValue;
  readonly error?: string;
}

const require = createRequire(import.meta.url);
const suites: Readonly<Record<string, readonly PatchRecord[]>> = {
  tests: require('json-patch-test-suite/tests.json') as PatchRecord[],
  spec_tests: require('json-patch-test-suite/spec_tests.json') as PatchRecord[],
  'records that the suite lacks': EXTRA_RECORDS,
};

const DUPLICATES = ['duplicate ops', 'A.13 Invalid JSON Patch Document'];

for (const [suite, records] of Object.entries(suites)) {
  describe(suite, () => {
    for (const [index, record] of records.entries()) {
      if (record.doc === undefined || record.patch === undefined) continue;
      // Duplicate keys in an operation are gone once the record is read; the parser of the text refuses them.
      const skip = DUPLICATES.includes(record.comment ?? '') ? 'it is about the text of a patch' : false;
      test(`${index} ${record.comment ?? record.error ?? ''}`, { skip }, () => check(record));
    }
  });
}

function check({ doc, patch, expected, error }: PatchRecord): void {
  const before = JSON.stringify([doc, patch]);
  const result = run(doc as JsonValue, patch);
  assert.equal(JSON.stringify([doc, patch]), before, 'input is never changed');
  if (error !== undefined) assert.ok(isFault(result), `refused because ${error}`);
  else if (expected !== undefined) assert.deepEqual(result, expected);
  else assert.ok(!isFault(result), isFault(result) ? result.message : '');
}

function run(doc: JsonValue, patch: unknown): ReturnType<typeof applyJsonPatch> {
  const parsed = parseJsonPatch(patch);
  return isFault(parsed) ? parsed : applyJsonPatch(doc, parsed);
}

function codeAndText(result: unknown): unknown {
  return isFault(result) ? [result.code, result.message] : result;
}

test('a refusal names the operation and what is wrong', () => {
  const doc = { a: [1], b: null };
  const cases: [unknown, string, string][] = [
    [{}, 'PC_PATCH_INVALID', 'a patch must be an array of operations'],
    [[{ op: 'add', path: '/a' }], 'PC_PATCH_INVALID', 'operation 0 needs a `value`'],
    [
      [{ op: 'constructor', path: '' }],
      'PC_PATCH_INVALID',
      'operation 0 needs `op`: add, remove, replace, move, copy or test',
    ],
    [
      [
        { op: 'remove', path: '/b' },
        { op: 'remove', path: '/x' },
      ],
      'PC_PATCH_APPLY',
      'operation 1: remove `/x`: the path does not exist',
    ],
    [
      [{ op: 'add', path: '/b/c', value: 1 }],
      'PC_PATCH_APPLY',
      'operation 0: add `/b/c`: the path has no parent that could hold it',
    ],
  ];
  for (const [patch, code, message] of cases) assert.deepEqual(codeAndText(run(doc, patch)), [code, message]);
});

test('prototypes are neither read nor written', () => {
  for (const path of [
    '/__proto__',
    '/__proto__/polluted',
    '/constructor/prototype/polluted',
    '/a/length',
    '/a/map',
  ]) {
    for (const op of ['replace', 'remove', 'test'] as const) {
      assert.ok(isFault(run({ a: [] }, [{ op, path, value: 1 }])), `${op} ${path}`);
    }
    assert.ok(isFault(run({ a: [] }, [{ op: 'copy', from: path, path: '/b' }])), path);
  }
  const added = run({}, [
    { op: 'add', path: '/__proto__', value: {} },
    { op: 'add', path: '/__proto__/polluted', value: 1 },
    { op: 'copy', from: '/__proto__', path: '/copy' },
  ]);
  assert.ok(!isFault(added));
  assert.equal(JSON.stringify(added), '{"__proto__":{"polluted":1},"copy":{"polluted":1}}');
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  assert.equal(Object.getPrototypeOf(added), Object.prototype);
});

test('limits end in a fault', () => {
  const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: {} }));
  const doubling = Array.from({ length: 60 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
  const nesting = Array.from({ length: 2000 }, () => ({ op: 'copy', from: '', path: '/a' }));
  const shifting = Array.from({ length: 9999 }, () => ({ op: 'add', path: '/0', value: 0 }));
  assert.equal(codeOf(run({}, many)), 'PC_PATCH_LIMIT');
  assert.equal(codeOf(run({ a: [1] }, doubling)), 'PC_PATCH_LIMIT');
  assert.equal(codeOf(run({ a: 1, b: 'text' }, nesting)), 'PC_PATCH_LIMIT');
  assert.equal(
    codeOf(
      run(
        Array.from({ length: 100_000 }, () => 0),
        shifting,
      ),
    ),
    'PC_PATCH_LIMIT',
  );
});

function codeOf(result: unknown): string | undefined {
  return isFault(result) ? result.code : undefined;
}

test('big integers pass untouched and are compared by value', () => {
  const doc = parseJson(Buffer.from('{"big":12345678901234567890,"n":1.0}'));
  assert.ok(!isFault(doc));
  const patch = parseJson(
    Buffer.from(
      '[{"op":"test","path":"/big","value":12345678901234567890.0},{"op":"copy","from":"/big","path":"/c"}]',
    ),
  );
  const result = run(doc, patch);
  assert.ok(!isFault(result));
  assert.equal(stringifyExact(result), '{"big":12345678901234567890,"n":1,"c":12345678901234567890}');
  assert.ok(isFault(run(doc, [{ op: 'test', path: '/big', value: 12345678901234567000 }])));
});

test('emission: what the API server reads differently is told', () => {
  const fine: JsonPatch = [
    { op: 'replace', path: '', value: {} },
    { op: 'add', path: '/a', value: 1 },
    { op: 'move', from: '/a', path: '/b' },
  ];
  assert.equal(checkEmission(fine), undefined);
  assert.equal(checkEmission([{ op: 'add', path: '', value: {} }])?.code, 'PC_PATCH_INVALID');
  assert.equal(
    checkEmission([{ op: 'copy', from: '', path: '/a' }])?.message,
    'operation 0 is a copy of the whole document, which the API server refuses',
  );
  assert.equal(
    checkEmission([...fine, { op: 'test', path: '/b', value: 1 }])?.message,
    'operation 3 is a test, which the API server compares by bytes',
  );
});

const pointer = fc
  .array(
    fc.constantFrom('a', 'b', '0', '1', '-', '-1', '01', '', '__proto__', 'constructor', '~0', '~1', '~2'),
    { maxLength: 4 },
  )
  .map((tokens) => tokens.map((token) => `/${token}`).join(''));
const operation = fc.record({
  op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
  path: pointer,
  from: pointer,
  value: fc.constantFrom<JsonValue>(null, 1, 'x', [], {}, [1, { a: 2 }], { a: [0], b: { '0': 1 } }),
});

test('any patch ends in a value or a fault and changes no input', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.array(operation, { maxLength: 8 }), (value, patch) => {
      const doc = { a: value as JsonValue, b: [1, [2], { a: 3 }] };
      const before = JSON.stringify([doc, patch]);
      const once = run(doc, patch);
      assert.equal(JSON.stringify([doc, patch]), before);
      assert.deepEqual(codeAndText(run(doc, patch)), codeAndText(once));
      assert.equal(({} as Record<string, unknown>)['a'], undefined);
    }),
    { seed: 6, numRuns: 3000 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createJsonShape } from '../../src/kernel/json/json-shape.ts';
import { createJsonScanner, type JsonScan } from '../../src/kernel/json/scan-json.ts';
import { createReferenceScanner } from './reference/reference-scanner.ts';

/** The scanner against a second one that reads byte by byte: same faults, same places, same ranges. */
const shape = createJsonShape({
  kind: 'kind',
  request: 'request',
  uid: 'request/uid',
  object: 'request/object',
  name: 'request/object/metadata/name',
  list: 'list',
  long: 'a key that is longer than one vector of sixteen bytes',
  accent: 'é',
});
const scanner = createJsonScanner(shape);
const reference = createReferenceScanner(shape);

function plainOf({ fault, ranges, hasLongNumber }: JsonScan): unknown {
  return [fault?.code, fault?.message, fault?.data, ranges, hasLongNumber];
}

function agree(document: string | Uint8Array): boolean {
  const bytes = typeof document === 'string' ? Buffer.from(document) : document;
  const expected = reference.scan(bytes);
  assert.deepEqual(plainOf(scanner.scan(bytes)), plainOf(expected), JSON.stringify(bytes.toString()));
  return expected.fault === undefined;
}

/** Every kind of token, keys that are wanted and keys that only look like it, at odd places of the vectors. */
const SAMPLES = [
  '{"kind":"X","request":{"uid":"7","object":{"metadata":{"name":"é😀"},"z":[{}, [ ],"",-0.5e+3]},"a":null}}',
  '{ "request" : {"u\\u0069d" : "\\ud83d\\ude00\\n\\"" , "object":[true,false,null]},\r\n\t"list":[1,[2,{"kind":3}]]}',
  '{"a key that is longer than one vector of sixteen bytes":12345678901234567,"a key that is longer than one vector of sixteen byteS":1}',
  '{"\\u00e9":"\\/\\b\\f\\r\\t\\\\","k:{\\"a\\":1}":{},"k:{\\"a\\":2}":{}, "a\\/b":0}',
  '[0,-1,1.25,1e5,1E-7,123456789012345,1234567890123456,"\\uDBFF\\uDFFF","\u2028\u007f"]',
];

test('every prefix and every suffix of a document', () => {
  for (const sample of SAMPLES) {
    const bytes = Buffer.from(sample);
    assert.ok(agree(bytes), sample);
    for (let cut = 0; cut < bytes.length; cut++) {
      agree(bytes.subarray(0, cut));
      agree(bytes.subarray(cut));
    }
  }
});

test('every byte of a document, changed, dropped and doubled', () => {
  const replacements = [...Buffer.from('"\\{}[],:0-+.eEutn/ \n\u0000\u001f\u007f'), 0x80, 0xc3, 0xff];
  for (const sample of SAMPLES) {
    const bytes = Buffer.from(sample);
    for (let at = 0; at < bytes.length; at++) {
      for (const byte of replacements) agree(bytes.with(at, byte));
      agree(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]));
      agree(Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at)]));
    }
  }
});

test('every alignment, by blanks in front and by the length of a string', () => {
  for (let shift = 0; shift <= 32; shift++) {
    for (const sample of SAMPLES) {
      assert.ok(agree(' '.repeat(shift) + sample + '\n'.repeat(shift)));
      assert.ok(agree(`["${'x'.repeat(shift)}",${sample}]`));
    }
  }
});

test('whatever stands at the border of two vectors', () => {
  const pieces = [
    '\\"',
    '\\\\',
    '\\u0041',
    '\\ud83d\\ude00',
    '\\ud83d',
    '\\u00g0',
    '\\x',
    'é',
    '😀',
    '\u0001',
    '"',
    '',
    '\\',
  ];
  for (let length = 0; length <= 48; length++) {
    for (const piece of pieces) {
      for (const rest of ['', 'y', 'y'.repeat(16)]) {
        const string = `"${'x'.repeat(length)}${piece}${rest}"`;
        agree(string);
        agree(`[${string},0]`);
        agree(`{${string}:1,"z":2,${string}:3}`);
      }
    }
  }
});

test('keys of every length that differ in one place', () => {
  for (let length = 1; length <= 70; length++) {
    const key = 'k'.repeat(length);
    assert.ok(!agree(`{"${key}":1,"${key}":2}`));
    assert.ok(!agree(`{"${key}":1,"${key.slice(1)}\\u006b":2}`));
    for (let at = 0; at < length; at++) {
      assert.ok(agree(`{"${key}":1,"${key.slice(0, at)}K${key.slice(at + 1)}":2,"${key}k":3}`));
    }
  }
});

test('wanted keys of every length, and keys that are one character away', () => {
  const names = Array.from({ length: 50 }, (_, index) => 'abcdefghij'.repeat(5).slice(0, index + 1));
  const wanted = createJsonShape(Object.fromEntries(names.map((name) => [name, `in/${name}`])));
  const wide = createJsonScanner(wanted);
  const bytes = Buffer.from(`{"in":{${names.map((name) => `"${name}":"${name}","${name}!":0`).join(',')}}}`);
  const { ranges } = wide.scan(bytes);
  for (const name of names) {
    const slot = wanted.slots[name] as number;
    assert.equal(bytes.toString('utf8', ranges[slot], ranges[slot + 1]), `"${name}"`);
  }
  assert.deepEqual(plainOf(wide.scan(bytes)), plainOf(createReferenceScanner(wanted).scan(bytes)));
});

test('a shape that is too large for a scanner is told when it is first used', () => {
  const names = Array.from({ length: 600 }, (_, index) => [`k${index}`, `k${index}`]);
  const scan = (): unknown =>
    createJsonScanner(createJsonShape(Object.fromEntries(names))).scan(Buffer.from('1'));
  assert.throws(scan, new TypeError('a shape wants more members than a scanner has room for'));
});

test('objects of every number of keys, with one of them twice, and others inside', () => {
  for (let count = 1; count <= 80; count++) {
    const keys = Array.from({ length: count }, (_, index) => `"key-${index}"`);
    const wide = keys.map((key) => `${key}:{"key-0":[{"key-0":0}]}`).join(',');
    assert.ok(agree(`[{${wide}},{${wide}}]`));
    assert.ok(agree(`{${keys.map((key) => `${key}:{${wide}}`).join(',')}}`));
    for (const twice of [0, count >> 1, count - 1]) {
      assert.ok(!agree(`{${wide},"key-${twice}":1}`));
      assert.ok(!agree(`{${wide},"\\u006bey-${twice}":1}`));
      assert.ok(!agree(`{"request":{${wide},"uid":1,"key-${twice}":1}}`));
    }
  }
});

test('generated documents, changed in a few places', () => {
  const pieces = fc.constantFrom(
    ...Array.from('"\\{}[],:0-.e \u0007'),
    'true',
    'nul',
    '\\u0061',
    '\\ud800',
    '"a":',
    '"kind":1,',
    '\\/',
    'é',
  );
  const change = fc.record({ at: fc.nat(), drop: fc.nat(2), put: fc.oneof(fc.constant(''), pieces) });
  const key = fc.oneof(
    fc.constantFrom('kind', 'request', 'uid', 'object', 'metadata', 'name', 'é', '"', '/'),
    fc.string(),
  );
  const value = fc.jsonValue({ maxDepth: 4 });
  const document = fc.dictionary(
    key,
    fc.oneof(value, fc.dictionary(key, fc.oneof(value, fc.dictionary(key, value)))),
  );
  fc.assert(
    fc.property(document, fc.nat(2), fc.array(change, { maxLength: 3 }), (tree, indent, changes) => {
      let text = JSON.stringify(tree, undefined, indent);
      for (const { at, drop, put } of changes) {
        const start = at % (text.length + 1);
        text = text.slice(0, start) + put + text.slice(start + drop);
      }
      agree(text);
    }),
    { seed: 11, numRuns: 1500 },
  );
});

test('arbitrary bytes', () => {
  const token = fc.oneof(
    fc.uint8Array({ maxLength: 3 }),
    fc
      .constantFrom('{', '}', '[', ']', ',', ':', '"', '"a"', '"uid"', '1', '-', '1e', 'true', ' ')
      .map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 16 }), (tokens) => void agree(Buffer.concat(tokens))),
    { seed: 12, numRuns: 10_000 },
  );
});

test('documents of many megabytes, and small ones after them', () => {
  const small = SAMPLES[0] as string;
  for (const megabytes of [7, 9]) {
    const filler = 'lorem ipsum \\"dolor\\" é '.repeat((megabytes * 1024 * 1024) / 25);
    const large = `{"kind":"${filler}","request":{"object":{"metadata":{"name":"x"}}}}`;
    assert.ok(agree(large));
    assert.ok(!agree(`${large}}`));
    assert.ok(!agree(large.slice(0, -1)));
    assert.ok(agree(small));
  }
  const rows = Array.from(
    { length: 60_000 },
    (_, index) => `{"name":"row ${index}","value":[${index},{"a":null}]}`,
  );
  assert.ok(agree(`{"list":[${rows.join(',\n')}]}`));
});

test('nothing of a document is left for the next one', () => {
  const string = (length: number): string => `"${'x'.repeat(length)}`;
  for (let length = 100; length >= 0; length--) {
    assert.ok(agree(`${string(length + 1)}"`));
    assert.ok(!agree(string(length)), 'the quote of the longer document does not end the shorter one');
  }
});

test('scanners with different shapes do not disturb each other', () => {
  const other = createJsonScanner(createJsonShape({ z: 'z' }));
  const { ranges } = other.scan(Buffer.from('{"kind":1,"z":"abc"}'));
  assert.ok(agree(SAMPLES[0] as string));
  assert.deepEqual(ranges, [14, 19]);
});

test('the last scan does not change the ranges of the one before', () => {
  const { ranges } = scanner.scan(Buffer.from('{"kind":1}'));
  scanner.scan(Buffer.from('{"kind":"another"}'));
  assert.deepEqual(ranges.slice(0, 2), [8, 9]);
});

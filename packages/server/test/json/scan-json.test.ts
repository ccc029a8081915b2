import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createJsonShape } from '../../src/kernel/json/json-shape.ts';
import { createJsonScanner } from '../../src/kernel/json/scan-json.ts';

const shape = createJsonShape({
  uid: 'request/uid',
  request: 'request',
  object: 'request/object',
  kind: 'kind',
});
const scanner = createJsonScanner(shape);

function faultOf(text: string | Uint8Array): string | undefined {
  return scanner.scan(typeof text === 'string' ? Buffer.from(text) : text).fault?.code;
}

function isAccepted(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}

/** What the scanner refuses although JSON.parse accepts it; undefined when it should accept. */
function extraRefusal(text: string): boolean {
  let depth = 0;
  let deepest = 0;
  for (const character of text.replaceAll(/"(?:[^"\\]|\\.)*"/gs, '""')) {
    if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth);
    if (character === '}' || character === ']') depth--;
  }
  if (deepest > 512) return true;
  let isRefused = false;
  const members = text.match(/"(?:[^"\\]|\\.)*"/gs) ?? [];
  for (const string of members) if (!(JSON.parse(string) as string).isWellFormed()) isRefused = true;
  return isRefused || hasDuplicate(text);
}

/** By another road than the scanner's: as many members are parsed as colons stand outside strings, or some were lost. */
function hasDuplicate(text: string): boolean {
  const colons = text.replaceAll(/"(?:[^"\\]|\\.)*"/gs, '""').split(':').length - 1;
  let members = 0;
  const count = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const member of Object.values(value)) count(member);
    if (!Array.isArray(value)) members += Object.keys(value).length;
  };
  count(JSON.parse(text));
  return members !== colons;
}

function agrees(text: string): void {
  const expected = isAccepted(() => JSON.parse(text)) && text.isWellFormed() && !extraRefusal(text);
  const { fault } = scanner.scan(Buffer.from(text));
  assert.equal(fault === undefined, expected, `${JSON.stringify(text)}: ${fault?.message}`);
}

test('accepts what JSON.parse accepts', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(2), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      if (text.isWellFormed() && !/\\ud[89a-f]/i.test(text)) assert.equal(faultOf(text), undefined, text);
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test('agrees with JSON.parse on documents that were changed in a few places', () => {
  const pieces = [
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '0',
    '-',
    '.',
    'e',
    ' ',
    'true',
    'null',
    '\\u0061',
    '\u0007',
  ];
  const change = fc.record({ at: fc.nat(), drop: fc.nat(2), put: fc.constantFrom('', ...pieces) });
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.array(change, { maxLength: 3 }), (value, changes) => {
      let text = JSON.stringify(value);
      for (const { at, drop, put } of changes) {
        const start = at % (text.length + 1);
        text = text.slice(0, start) + put + text.slice(start + drop);
      }
      if (text.isWellFormed()) agrees(text);
    }),
    { seed: 2, numRuns: 5000 },
  );
});

test('agrees with JSON.parse on arbitrary sequences of tokens', () => {
  const token = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"\\u0061"',
    '1',
    '-0.5e+3',
    'true',
    'nul',
    ' ',
    '01',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 12 }), (tokens) => agrees(tokens.join(''))),
    { seed: 3, numRuns: 5000 },
  );
});

test('finds the ranges of wanted members', () => {
  const text =
    '{ "kind" : "X", "request": {"object":{"request":{"uid":1}}, "u\\u0069d" : "7" , "z":[{"uid":2}]} }';
  const bytes = Buffer.from(text);
  const { fault, ranges } = scanner.scan(bytes);
  assert.equal(fault, undefined);
  const part = (slot: number): string => text.slice(ranges[slot], ranges[slot + 1]);
  assert.equal(part(shape.slots.kind), '"X"');
  assert.equal(part(shape.slots.uid), '"7"');
  assert.equal(part(shape.slots.object), '{"request":{"uid":1}}');
  assert.equal(part(shape.slots.request), text.slice(27, -2));
});

test('tells of every kind of fault with its place', () => {
  const cases: [string, string, string][] = [
    ['', 'PC_REVIEW_JSON', 'unexpected end at byte 0'],
    ['  ', 'PC_REVIEW_JSON', 'unexpected end at byte 2'],
    ['{"a":1', 'PC_REVIEW_JSON', 'unexpected end at byte 6'],
    ['{"a":"b', 'PC_REVIEW_JSON', 'unexpected end at byte 7'],
    ['{"a":1,}', 'PC_REVIEW_JSON', 'unexpected byte at offset 7'],
    ['[1,]', 'PC_REVIEW_JSON', 'unexpected byte at offset 3'],
    ['{} {}', 'PC_REVIEW_JSON', 'unexpected byte at offset 3'],
    ['[01]', 'PC_REVIEW_JSON', 'unexpected byte at offset 2'],
    ['"\t"', 'PC_REVIEW_JSON', 'unexpected byte at offset 1'],
    ['\uFEFF{}', 'PC_REVIEW_JSON', 'unexpected byte at offset 0'],
    ['{"a":"\\ud800"}', 'PC_REVIEW_ENCODING', 'lone surrogate at byte 6'],
    ['["\\ud800\\u0041"]', 'PC_REVIEW_ENCODING', 'lone surrogate at byte 2'],
    ['["\\udc00"]', 'PC_REVIEW_ENCODING', 'lone surrogate at byte 2'],
    ['{"\\ud800":1}', 'PC_REVIEW_ENCODING', 'lone surrogate at byte 2'],
    ['{"a":1,"b":2,"a":3}', 'PC_REVIEW_DUPLICATE_KEY', 'key `a` stands twice in one object at byte 13'],
    ['{"a":1,"\\u0061":2}', 'PC_REVIEW_DUPLICATE_KEY', 'key `a` stands twice in one object at byte 7'],
    ['{"\\u0061":1,"a":2}', 'PC_REVIEW_DUPLICATE_KEY', 'key `a` stands twice in one object at byte 12'],
    ['{"/":1,"\\/":2}', 'PC_REVIEW_DUPLICATE_KEY', 'key `/` stands twice in one object at byte 7'],
    ['{"\\n":1,"\\u000A":2}', 'PC_REVIEW_DUPLICATE_KEY', 'key `\n` stands twice in one object at byte 8'],
    ['{"é":1,"\\u00e9":2}', 'PC_REVIEW_DUPLICATE_KEY', 'key `é` stands twice in one object at byte 8'],
  ];
  for (const [text, code, message] of cases) {
    const { fault } = scanner.scan(Buffer.from(text));
    assert.deepEqual([fault?.code, fault?.message], [code, message], text);
  }
  assert.equal(faultOf(Buffer.from([0x22, 0xff, 0x22])), 'PC_REVIEW_ENCODING');
  assert.equal(faultOf(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), 'PC_REVIEW_ENCODING');
  assert.equal(faultOf('{"\\ud83d\\ude00":1,"a":"\\ud83d\\ude00"}'), undefined);
});

test('nesting is limited without recursion', () => {
  assert.equal(faultOf('['.repeat(512) + ']'.repeat(512)), undefined);
  assert.equal(faultOf('['.repeat(513) + ']'.repeat(513)), 'PC_REVIEW_DEPTH');
  assert.equal(faultOf('{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)), 'PC_REVIEW_DEPTH');
  assert.equal(faultOf('['.repeat(5_000_000)), 'PC_REVIEW_DEPTH');
  assert.equal(faultOf('{}'), undefined, 'the scanner is as new afterwards');
});

test('keys of sibling and parent objects do not collide, whatever their number', () => {
  const wide = (count: number, from = 0): string =>
    `{${Array.from({ length: count }, (_, index) => `"k${from + index}":{"k0":[{"k0":1}]}`).join(',')}}`;
  for (const count of [1, 15, 16, 17, 18, 40]) {
    assert.equal(faultOf(`[${wide(count)},${wide(count)}]`), undefined, String(count));
    for (const twice of [0, count - 1]) {
      const text = `${wide(count).slice(0, -1)},"k${twice}":0}`;
      assert.equal(faultOf(text), 'PC_REVIEW_DUPLICATE_KEY', `${count} ${twice}`);
    }
  }
});

test('half a million keys end in an answer', () => {
  const keys = Array.from({ length: 500_000 }, (_, index) => `"${index}":0`).join(',');
  assert.equal(faultOf(`{${keys}}`), undefined);
  assert.equal(faultOf(`{${keys},"499999":0}`), 'PC_REVIEW_DUPLICATE_KEY');
});

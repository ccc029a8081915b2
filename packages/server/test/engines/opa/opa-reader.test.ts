import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { OPA_PROBE } from '../../../src/engines/opa/opa-probe.ts';
import { jsonText, stringText } from './generated-json.ts';
import { createPlainReader } from './plain-reader.ts';

const EXAMPLE = join(
  import.meta.dirname,
  '../../../../../policies/memory-limits-rego/memory-limits-rego.wasm',
);
const SEED = 20261121;

/** What the reader of the adapter makes of a text, against what the parser of a real module makes of it. */
describe('the reader of OPA’s values', () => {
  const plain = createPlainReader(new Uint8Array(readFileSync(EXAMPLE)));
  const ask = (text: string): string | undefined => plain.byReader(Buffer.from(text));

  test('the probe is read alike', () => {
    assert.ok(plain.isAlike(Buffer.concat(OPA_PROBE)));
  });

  test('every document is read alike, block by block, and written alike', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        const bytes = Buffer.from(text);
        const read = plain.byReader(bytes);
        assert.ok(read !== undefined);
        assert.equal(read, plain.byModule(bytes));
        assert.ok(plain.isAlike(bytes));
      }),
      { seed: SEED, numRuns: 1500 },
    );
  });

  test('objects of any width have their elements in the same places', () => {
    fc.assert(
      fc.property(fc.array(stringText, { minLength: 20, maxLength: 400 }), (keys) => {
        const text = `{${keys.map((key, index) => `${key}:${index}`).join(',')}}`;
        assert.ok(plain.isAlike(Buffer.from(text)));
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  test('bytes that are changed, lost or added: what is read is what the module reads, else it is left to it', () => {
    const change = fc.tuple(fc.nat(), fc.constantFrom(0, 1, 2), fc.nat(255));
    let left = 0;
    fc.assert(
      fc.property(jsonText, fc.array(change, { minLength: 1, maxLength: 3 }), (text, changes) => {
        let bytes = Buffer.from(text);
        for (const [place, kind, byte] of changes) {
          const at = place % (bytes.length + 1);
          const inserted = kind === 1 ? [] : [byte];
          bytes = Buffer.concat([
            bytes.subarray(0, at),
            Buffer.from(inserted),
            bytes.subarray(kind === 2 ? at : at + 1),
          ]);
        }
        const read = plain.byReader(bytes);
        if (read === undefined) left++;
        else {
          assert.equal(read, plain.byModule(bytes));
          assert.ok(plain.isAlike(bytes));
        }
      }),
      { seed: SEED, numRuns: 1500 },
    );
    assert.ok(left > 500, `only ${left} were left`);
  });

  test('any bytes at all end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const read = plain.byReader(bytes);
        assert.ok(read === undefined || read === plain.byModule(bytes));
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  const LEFT: Readonly<Record<string, string>> = {
    nothing: '',
    blanks: ' \n ',
    'a pair of surrogates': '"\\ud834\\udd1e"',
    'a surrogate without its partner': '"\\ud834"',
    'half of an escape': '"\\u12',
    'an unknown escape': '"\\x"',
    'a control character': '"\u0001"',
    'a NUL in the text': '[1\u0000]',
    'a string without an end': '"abc',
    'a number with zeros in front': '01',
    'a number without digits': '-',
    'a fraction without digits': '1.',
    'an exponent without digits': '1e+',
    'a word cut off': 'tru',
    'a word that goes on': 'nulls',
    'two documents': '1 2',
    'an array without an end': '[1',
    'a comma too much': '[1,]',
    'a comma in place of a member': '{,}',
    'a key that is no string': '{1:2}',
    'no value': '{"a":}',
    'no colon': '{"a" 1}',
    'another end': '[1}',
    'a set of OPA’s own notation': '{1,2}',
    'an empty set': 'set()',
    'an array too deep': '['.repeat(602) + ']'.repeat(602),
    'an array without any end': '['.repeat(100_000),
  };
  for (const [name, text] of Object.entries(LEFT)) {
    test(`left to the module’s parser: ${name}`, () => assert.equal(ask(text), undefined));
  }

  for (const [name, bytes] of Object.entries({
    'a byte that goes on with nothing': [0x80],
    'two bytes that could be one': [0xc1, 0x81],
    'three bytes that could be two': [0xe0, 0x9f, 0xbf],
    'a surrogate': [0xed, 0xa0, 0x80],
    'beyond the last character': [0xf4, 0x90, 0x80, 0x80],
    'a character cut off': [0xe2, 0x82],
  })) {
    test(`left to the module’s parser: ${name}`, () => {
      assert.equal(plain.byReader(Buffer.from([0x22, ...bytes, 0x22])), undefined);
    });
  }

  test('a text costs fuel by its length, and the same each time', () => {
    const cost = (text: string): number => {
      ask(text);
      return plain.fuel();
    };
    const items = (count: number): string =>
      `[${Array.from({ length: count }, (_, index) => `{"a":${index % 7}}`).join()}]`;
    const shapes: Readonly<Record<string, (size: number) => string>> = {
      string: (size) => `"${'x'.repeat(size)}"`,
      escapes: (size) => `"${'\\n'.repeat(size / 2)}"`,
      blanks: (size) => `${' '.repeat(size)}1`,
      digits: (size) => '7'.repeat(size),
      key: (size) => `{"${'k'.repeat(size)}":1}`,
      items: (size) => items(size / 8),
    };
    for (const [name, shape] of Object.entries(shapes)) {
      const [small, large] = [cost(shape(40_000)), cost(shape(400_000))];
      assert.equal(cost(shape(40_000)), small, name);
      assert.ok(large > 8 * small && large < 12 * small, `${name}: ${small}, ${large}`);
      assert.ok(small > 10 * 40_000 && small < 100 * 40_000, `${name}: ${small}`);
    }
  });
});

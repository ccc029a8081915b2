import * as fc from 'fast-check';

const blank = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
const scalar = fc.oneof(
  fc.constantFrom(
    'null',
    'true',
    'false',
    '0',
    '-0',
    '1e400',
    '-1E-7',
    '0.10',
    '12345678901234567890123',
    '9007199254740993',
  ),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
);
const ESCAPES = [
  '\\n',
  '\\"',
  '\\\\',
  '\\/',
  '\\b',
  '\\f',
  '\\r',
  '\\t',
  '\\u0000',
  '\\u00e9',
  '\\u20AC',
  '\\uFFFF',
  '\\u007f',
];
const character = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...'abcdefg -_./:{}[],'.split('')) },
  { weight: 2, arbitrary: fc.constantFrom(...ESCAPES) },
  { weight: 2, arbitrary: fc.constantFrom('é', '€', '世', '𝄞', '\u007f', '\u0080', '\uffff', '\u{10ffff}') },
);

/** Text of a string, spelled in one of many ways. */
export const stringText: fc.Arbitrary<string> = fc
  .oneof(
    fc.array(character, { maxLength: 5 }),
    fc.array(character, { maxLength: 80 }),
    fc.constantFrom('metadata', 'spec', 'f:labels', 'name').map((name) => name.split('')),
  )
  .map((characters) => `"${characters.join('')}"`);

/** Text of a document: blanks anywhere, keys that stand twice, wide and deep ones. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string; array: string; object: string }>(
  (tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      stringText,
      tie('array'),
      tie('object'),
    ),
    array: fc.array(spaced(tie('value')), { maxLength: 45 }).map((items) => `[${items.join(',')}]`),
    object: fc
      .array(fc.tuple(spaced(stringText), spaced(tie('value'))), { maxLength: 45 })
      .map((members) => `{${members.map(([key, value]) => `${key}:${value}`).join(',')}}`),
  }),
).value;

function spaced(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(blank, text, blank).map((parts) => parts.join(''));
}

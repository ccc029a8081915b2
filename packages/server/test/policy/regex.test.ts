import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isFault } from '../../src/kernel/fault.ts';
import { compileRegex } from '../../src/kernel/regex/compile-regex.ts';
import { createRegexCache } from '../../src/policy/cel/regex-cache.ts';

const regex = createRegexCache(() => undefined);

test('matches are those of JavaScript where both have the same syntax', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '\\b', '^', '$', '😀');
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 4 },
      atom,
      fc.tuple(tie('pattern'), tie('pattern')).map(([left, right]) => `${left}${right}`),
      fc.tuple(tie('pattern'), tie('pattern')).map(([left, right]) => `(?:${left}|${right})`),
      // What may be empty is repeated differently by the two.
      fc
        .tuple(
          fc.constantFrom('a', 'b', '[ab]', '(?:ab|a)', '\\w'),
          fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{2,}'),
        )
        .map(([inner, repeat]) => `${inner}${repeat}`),
      fc.tuple(tie('pattern'), fc.constantFrom('a', 'b')).map(([left, right]) => `(${left}${right})+`),
    ),
  }));
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', ' ', '\n', '😀'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (source, input) => {
      const expected = new RegExp(source, 'gu');
      assert.equal(regex(source).test(input), expected.test(input), source);
      const first = new RegExp(source, 'u').exec(input)?.[0];
      assert.deepEqual(
        regex(source).findAll(input, 1),
        first === undefined ? [] : [first],
        `${source} in ${input}`,
      );
    }),
    { seed: 41, numRuns: 3000 },
  );
});

test('what RE2 has', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['(?i)abc', 'xABCx', ['ABC']],
    ['a(?i:b)c', 'aBc aBC', ['aBc']],
    ['(?i:(a)b)c', 'ABC ABc', ['ABc']],
    ['(?i)[^a]', 'Ab', ['b']],
    ['(?s)a.b', 'a\nb', ['a\nb']],
    ['a.b', 'a\nb', []],
    ['(?m)^b$', 'a\nb\nc', ['b']],
    ['^b$', 'a\nb', []],
    ['\\Aa\\z', 'a', ['a']],
    ['[[:alpha:]]+[[:^digit:]]', 'ab-1', ['ab-']],
    ['\\x41\\x{1F600}', 'A😀', ['A😀']],
    ['\\Qa.b\\E+', 'a.bb a-b', ['a.bb']],
    ['\\pL+', 'aÉ1', ['aÉ']],
    ['\\p{Greek}+', 'xαβ', ['αβ']],
    ['\\PL', 'a1', ['1']],
    ['(?P<name>a)(?<other>b)', 'ab', ['ab']],
    ['[a-c\\-\\]]+', 'a-]d', ['a-]']],
    ['[]a]+', ']a', [']a']],
    ['a{,2}', 'a{,2}', ['a{,2}']],
    ['a{0}b', 'ab', ['b']],
    ['a|ab', 'ab', ['a']],
    ['a*', 'baac', ['', 'aa', '']],
    ['\\s\\S\\D\\W', ' a !', [' a !'.slice(0, 4)]],
    ['x*', '😀', ['', '']],
    ['\\a\\f\\v', '\u0007\f\v', ['\u0007\f\v']],
  ];
  for (const [pattern, text, expected] of cases)
    assert.deepEqual(regex(pattern).findAll(text, Infinity), expected, pattern);
});

test('what RE2 has not, and what is no pattern', () => {
  const patterns = [
    '(',
    ')',
    '[',
    'a**',
    '*a',
    '\\1',
    '(?=a)',
    '(?!a)',
    '(?<=a)',
    '\\',
    '[b-a]',
    'a{1001}',
    'a{2,1}',
    '\\p{Nope}',
    '[[:nope:]]',
    '\\x{110000}',
    '(?x)a',
    '((a{100}){100}){100}',
    '('.repeat(200) + ')'.repeat(200),
  ];
  for (const pattern of patterns) {
    const fault = compileRegex(pattern);
    assert.ok(isFault(fault), pattern);
    assert.equal(fault.code, 'PC_POLICY_CONDITION');
  }
});

test('no pattern makes the compiler throw', () => {
  const pattern = fc.string({
    unit: fc.constantFrom(...'ab()[]{}*+?|^$.\\-:!<>=,019pPxQEdwsi'.split('')),
    maxLength: 20,
  });
  fc.assert(
    fc.property(pattern, (source) => {
      const program = compileRegex(source);
      if (!isFault(program)) regex(source).test('aabb019');
    }),
    { seed: 43, numRuns: 3000 },
  );
});

test('the work is linear in the text, for patterns that take others exponential time', () => {
  for (const pattern of ['^(a+)+$', '(a|aa)+$', '(a*)*b', '(.*)(.*)(.*)(.*)(.*)[^a]']) {
    const work = (length: number): number => {
      let units = 0;
      createRegexCache((charged) => (units += charged))(pattern).test(`${'a'.repeat(length)}!`);
      return units;
    };
    assert.ok(work(2000) < 2.1 * work(1000), pattern);
  }
});

test('repetitions of nothing inside each other are too large, not endless', { timeout: 60_000 }, () => {
  for (const nothing of ['(?:)', '()', '(?:|)', 'a{0}', '(?:(?:)(?:)(?:))']) {
    const pattern = `(?:(?:(?:${nothing}{1000}){1000}){1000}){1000}`;
    const program = compileRegex(nothing === 'a{0}' ? pattern.replace('a{0}{1000}', 'a{0}') : pattern);
    assert.ok(isFault(program), pattern);
  }
  assert.ok(!isFault(compileRegex('(?:){1000}')));
});

test('patterns that are refused are paid for as well', () => {
  let charged = 0;
  const compile = createRegexCache((units) => void (charged += units));
  for (let index = 0; index < 10; index++) assert.throws(() => compile(`(?:(?:${index}){1000}){1000}`));
  assert.ok(charged >= 50_000, String(charged));
});

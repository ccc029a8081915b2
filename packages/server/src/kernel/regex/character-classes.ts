import type { CharacterTest } from './regex-syntax.ts';

const isDigit: CharacterTest = (point) => point >= 0x30 && point <= 0x39;
const isUpper: CharacterTest = (point) => point >= 0x41 && point <= 0x5a;
const isLower: CharacterTest = (point) => point >= 0x61 && point <= 0x7a;
const isAlpha: CharacterTest = (point) => isUpper(point) || isLower(point);
const isGraph: CharacterTest = (point) => point >= 0x21 && point <= 0x7e;

export const isWord: CharacterTest = (point) => isAlpha(point) || isDigit(point) || point === 0x5f;

/** `\d`, `\s`, `\w`: ASCII only in RE2. The capital letter is the contrary. */
export const PERL_CLASSES: ReadonlyMap<string, CharacterTest> = new Map([
  ['d', isDigit],
  ['s', oneOf('\t\n\f\r ')],
  ['w', isWord],
]);

/** `[[:name:]]`. */
export const POSIX_CLASSES: ReadonlyMap<string, CharacterTest> = new Map<string, CharacterTest>([
  ['alnum', (point) => isAlpha(point) || isDigit(point)],
  ['alpha', isAlpha],
  ['ascii', (point) => point <= 0x7f],
  ['blank', oneOf('\t ')],
  ['cntrl', (point) => point <= 0x1f || point === 0x7f],
  ['digit', isDigit],
  ['graph', isGraph],
  ['lower', isLower],
  ['print', (point) => isGraph(point) || point === 0x20],
  ['punct', (point) => isGraph(point) && !isAlpha(point) && !isDigit(point)],
  ['space', oneOf('\t\n\v\f\r ')],
  ['upper', isUpper],
  ['word', isWord],
  [
    'xdigit',
    (point) => isDigit(point) || (point >= 0x41 && point <= 0x46) || (point >= 0x61 && point <= 0x66),
  ],
]);

/** `\p{Name}`, general categories and scripts; undefined when Unicode has no such property. */
export function unicodeClass(name: string): CharacterTest | undefined {
  for (const property of [name, `Script=${name}`]) {
    try {
      const expression = new RegExp(`^\\p{${property}}$`, 'u');
      return (point) => expression.test(String.fromCodePoint(point));
    } catch {
      // Not a property of this kind.
    }
  }
  return undefined;
}

export function negated(test: CharacterTest): CharacterTest {
  return (point) => !test(point);
}

/** Whatever the letter case. */
export function caseless(test: CharacterTest): CharacterTest {
  return (point) => {
    if (test(point)) return true;
    const text = String.fromCodePoint(point);
    return isOneOf(text.toLowerCase(), test) || isOneOf(text.toUpperCase(), test);
  };
}

function isOneOf(text: string, test: CharacterTest): boolean {
  const point = text.codePointAt(0) ?? 0;
  return String.fromCodePoint(point) === text && test(point);
}

function oneOf(characters: string): CharacterTest {
  const points = new Set(Array.from(characters, (character) => character.codePointAt(0)));
  return (point) => points.has(point);
}

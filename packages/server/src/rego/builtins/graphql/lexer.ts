import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';

export type TokenKind =
  'end' | 'comment' | 'name' | 'int' | 'float' | 'string' | 'block' | '...' | Punctuator;
type Punctuator = '!' | '$' | '&' | '(' | ')' | ':' | '=' | '@' | '[' | ']' | '{' | '}' | '|';

export interface Token {
  readonly kind: TokenKind;
  /** Of a string what is in it. */
  readonly value: string;
}

const SPACE = /[\t\n\r ,\ufeff]*/y;
const PUNCTUATORS = '!$&():=@[]{}|';
const NAME = /[_A-Za-z]\w*/y;
// eslint-disable-next-line no-control-regex -- controls end it
const COMMENT = /#[^\0-\x08\x0a-\x1f]*/y;
const NUMBER = /-?(0(?!\d)|[1-9]\d*)(\.\d*)?([eE][+-]?\d*)?/y;
// eslint-disable-next-line no-control-regex -- controls may not be in it
const STRING = /(?:[^"\\\0-\x08\x0a-\x1f]+|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y;
// eslint-disable-next-line no-control-regex -- only line breaks and tabs may
const BLOCK = /(?:[^"\\\0-\x08\x0b\x0c\x0e-\x1f]+|\\"""|\\|"(?!""))*/y;
const QUOTES = /"+/y;

/** Tokens of a text, one at a time; fails at what is none. */
export function createLexer(text: string, charge: Charge): () => Token {
  let at = 0;

  function take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = at;
    const match = pattern.exec(text) ?? undefined;
    at += match?.[0].length ?? 0;
    return match;
  }

  function number(): Token {
    const [written = '', , fraction, exponent = ''] = take(NUMBER) ?? fail('Invalid number');
    if (fraction === '.' || /[eE+-]$/.test(exponent)) fail('Invalid number, expected digit');
    return { kind: fraction === undefined && exponent === '' ? 'int' : 'float', value: written };
  }

  function block(): Token {
    at += 3;
    const start = at;
    let content = take(BLOCK)?.[0] ?? '';
    // Of more than three quotes the last ones end it.
    const quotes = take(QUOTES)?.[0].length ?? 0;
    if (quotes < 3) return fail(`Unterminated string at ${start}`);
    content += '"'.repeat(quotes - 3);
    return { kind: 'block', value: blockText(content.replaceAll('\\"""', '"""')) };
  }

  function string(): Token {
    // Its end is no part of the pattern, which would try all ways to come to one that is not there.
    at++;
    const content = take(STRING)?.[0] ?? '';
    if (text[at++] !== '"') fail(`Unterminated string at ${at}`);
    return { kind: 'string', value: content.includes('\\') ? unescape(content) : content };
  }

  return () => {
    const start = at;
    take(SPACE);
    const first = text[at];
    if (first === undefined) return { kind: 'end', value: '' };
    const token = read(first);
    charge(15 + ((at - start) >> 4));
    return token;
  };

  function read(first: string): Token {
    if (PUNCTUATORS.includes(first)) {
      at++;
      return { kind: first as Punctuator, value: '' };
    }
    const name = take(NAME);
    if (name !== undefined) return { kind: 'name', value: name[0] };
    if (first === '#') return { kind: 'comment', value: take(COMMENT)?.[0] ?? '' };
    if (first === '"') return text.startsWith('"""', at) ? block() : string();
    if (/[-\d]/.test(first)) return number();
    if (!text.startsWith('...', at)) return fail(`Cannot parse the unexpected character at ${at}`);
    at += 3;
    return { kind: '...', value: '' };
  }
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function unescape(content: string): string {
  return content.replace(/\\(?:u(.{4})|(.))/g, (_, hex: string | undefined, letter: string) =>
    // Half of a pair is no character to gqlparser, even beside the other half.
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(parseInt(hex, 16)).toWellFormed(),
  );
}

const BLANK = /^[\t ]*$/;

/** Without the indent that all lines have, and without blank lines at both ends; the first line counts too, unlike in the standard. */
function blockText(raw: string): string {
  const lines = raw.split(/\r\n|\r|\n/);
  let indent = Infinity;
  for (const line of lines) {
    if (!BLANK.test(line)) indent = Math.min(indent, /^[\t ]*/.exec(line)?.[0].length ?? 0);
  }
  const cut = lines.map((line, index) => (index === 0 || indent === Infinity ? line : line.slice(indent)));
  let [start, end] = [0, cut.length];
  while (start < end && BLANK.test(cut[start] ?? '')) start++;
  while (start < end && BLANK.test(cut[end - 1] ?? '')) end--;
  return cut.slice(start, end).join('\n');
}

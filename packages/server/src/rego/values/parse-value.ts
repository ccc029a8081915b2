import { verbatimNumber } from '../../kernel/json/exact-json.ts';
import { createSet } from './compare-values.ts';
import type { RegoValue } from './rego-value.ts';

const MAX_DEPTH = 512;
const SPACE = /[ \t\r\n]*/y;
/** Rego lets a fraction begin with its point. */
const NUMBER = /-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORDS = new Map<string, RegoValue>([
  ['null', null],
  ['true', true],
  ['false', false],
]);
const WORD = /null|true|false/y;

/**
 * A ground term as Rego writes it and `opa_value_dump` too: JSON, and sets (`{1, 2}`, `set()`), and objects whose keys are any
 * values. Undefined for anything else.
 */
export function parseValue(text: string): RegoValue | undefined {
  // Most arguments are short strings.
  if (text.startsWith('"') && text.indexOf('"', 1) === text.length - 1 && !text.includes('\\'))
    return text.slice(1, -1);
  try {
    const parser = new Parser(text);
    const value = parser.value(0);
    return parser.isDone ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isDone(): boolean {
    this.#take(SPACE);
    return this.#at === this.#text.length;
  }

  value(depth: number): RegoValue {
    if (depth > MAX_DEPTH) throw new SyntaxError('nested too deeply');
    this.#take(SPACE);
    const first = this.#text[this.#at];
    if (first === '"') return this.#string();
    if (first === '[') return this.#array(depth);
    if (first === '{') return this.#braces(depth);
    if (first === 's') return this.#emptySet();
    const word = WORDS.get(this.#take(WORD) ?? '');
    return word === undefined ? verbatimNumber(this.#want(NUMBER).replace(/^(-?)\./, '$10.')) : word;
  }

  #string(): string {
    let end = this.#at;
    do end = this.#text.indexOf('"', end + 1);
    while (end >= 0 && this.#isEscaped(end));
    if (end < 0) throw new SyntaxError('a string without an end');
    const literal = this.#text.slice(this.#at, end + 1);
    this.#at = end + 1;
    return JSON.parse(literal) as string;
  }

  /** After an odd number of backslashes. */
  #isEscaped(quote: number): boolean {
    let at = quote;
    while (this.#text[at - 1] === '\\') at--;
    return (quote - at) % 2 === 1;
  }

  #array(depth: number): RegoValue {
    this.#at++;
    const items: RegoValue[] = [];
    if (this.#skip(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.#skip(','));
    this.#expect(']');
    return items;
  }

  #braces(depth: number): RegoValue {
    this.#at++;
    if (this.#skip('}')) return new Map();
    const first = this.value(depth + 1);
    if (this.#skip(':')) return this.#object(first, depth);
    const members = [first];
    while (this.#skip(',')) members.push(this.value(depth + 1));
    this.#expect('}');
    return createSet(members);
  }

  #object(first: RegoValue, depth: number): RegoValue {
    const object = new Map([[first, this.value(depth + 1)]]);
    while (this.#skip(',')) {
      const key = this.value(depth + 1);
      this.#expect(':');
      object.set(key, this.value(depth + 1));
    }
    this.#expect('}');
    return object;
  }

  #emptySet(): RegoValue {
    this.#want(/set\(\)/y);
    return createSet([]);
  }

  #skip(character: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#skip(character)) throw new SyntaxError(`no ${character} at ${this.#at}`);
  }

  #want(pattern: RegExp): string {
    const found = this.#take(pattern);
    if (found === undefined) throw new SyntaxError(`unexpected text at ${this.#at}`);
    return found;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

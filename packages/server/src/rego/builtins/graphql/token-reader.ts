import { BuiltinLimit } from '../builtin.ts';
import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import { createLexer, type Token, type TokenKind } from './lexer.ts';
import type { Comments } from './syntax-tree.ts';

const MAX_DEPTH = 500;

/** Tokens with one seen ahead. */
export class TokenReader {
  /** What stands between the token ahead and the one before it. */
  comments: Comments | undefined;
  readonly #next: () => Token;
  #ahead: Token | undefined;
  #depth = 0;

  constructor(text: string, charge: Charge) {
    this.#next = createLexer(text, charge);
  }

  peek(): Token {
    if (this.#ahead !== undefined) return this.#ahead;
    let token = this.#next();
    if (token.kind === 'comment') {
      const list: { Value: string }[] = [];
      for (; token.kind === 'comment'; token = this.#next()) list.push({ Value: token.value });
      this.comments = { List: list };
    }
    this.#ahead = token;
    return token;
  }

  next(): Token {
    const token = this.peek();
    this.comments = undefined;
    this.#ahead = undefined;
    return token;
  }

  is(kind: TokenKind): boolean {
    return this.peek().kind === kind;
  }

  isName(value: string): boolean {
    const token = this.peek();
    return token.kind === 'name' && token.value === value;
  }

  skip(kind: TokenKind): boolean {
    if (!this.is(kind)) return false;
    this.next();
    return true;
  }

  expect(kind: TokenKind): string {
    const token = this.peek();
    return token.kind === kind ? this.next().value : fail(`Expected ${kind}, found ${token.kind}`);
  }

  keyword(value: string): void {
    if (!this.isName(value)) fail(`Expected "${value}", found ${this.peek().kind}`);
    this.next();
  }

  name(): string {
    return this.expect('name');
  }

  /** What stands in brackets, which have to hold something; nothing without them. `atEnd` is called before the last one. */
  some<T>([open, close]: Brackets, read: () => T, atEnd?: () => void): T[] {
    const found = this.many([open, close], read, atEnd);
    if (found?.length === 0) fail('expected at least one definition');
    return found ?? [];
  }

  many<T>([open, close]: Brackets, read: () => T, atEnd?: () => void): T[] | undefined {
    if (!this.skip(open)) return undefined;
    const found: T[] = [];
    this.deeper(() => {
      while (!this.is(close)) found.push(read());
    });
    atEnd?.();
    this.next();
    return found;
  }

  /** For what may hold its like. */
  deeper<T>(read: () => T): T {
    if (this.#depth >= MAX_DEPTH) throw new BuiltinLimit('a GraphQL document that is nested too deeply');
    this.#depth++;
    const found = read();
    this.#depth--;
    return found;
  }

  /** `A & B`, with a separator in front too if one wants. */
  separated(separator: TokenKind): string[] {
    this.skip(separator);
    const names = [this.name()];
    while (this.skip(separator)) names.push(this.name());
    return names;
  }

  unexpected(): never {
    const { kind, value } = this.peek();
    return fail(`Unexpected ${kind} ${value}`);
  }
}

export type Brackets = readonly [open: TokenKind, close: TokenKind];

export const PARENTHESES: Brackets = ['(', ')'];
export const BRACES: Brackets = ['{', '}'];
export const BRACKETS: Brackets = ['[', ']'];

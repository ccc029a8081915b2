import { parseAddress } from '../network.ts';

/** Letters of RFC 5322 between specials and spaces, dots among them. */
// eslint-disable-next-line no-control-regex -- controls are no part of an atom
const ATOM = /[^\x00-\x20\x7f()<>[\]:;@\\,"]+/y;
// eslint-disable-next-line no-control-regex -- nor of a quoted string, but for the tab
const QUOTED = /"((?:[^\\"\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*)"/y;
const LITERAL = /\[([\x21-\x5a\x5e-\x7e\u0080-\uffff]*)\]/y;
const SPACE = /[ \t]*/y;

/** One mail address, with or without a name, as Go's net/mail reads it. */
export function isMailAddress(text: string): boolean {
  const reader = new Reader(text);
  return reader.address(true) === 1 && reader.comments() && reader.isDone;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isDone(): boolean {
    return this.#at === this.#text.length;
  }

  /** How many addresses it stands for, which is another number for a group; undefined when it is none. */
  address(mayBeGroup: boolean): number | undefined {
    const start = this.#at;
    if (this.#specification()) {
      this.#take(SPACE);
      return this.#skip('(') && !this.#comment() ? undefined : 1;
    }
    this.#at = start;
    this.#take(SPACE);
    if (this.#peek() !== '<' && !this.#phrase()) return undefined;
    this.#take(SPACE);
    if (mayBeGroup && this.#skip(':')) return this.#group();
    return this.#skip('<') && this.#specification() && this.#skip('>') ? 1 : undefined;
  }

  /** Spaces and comments; false when one has no end. */
  comments(): boolean {
    for (;;) {
      this.#take(SPACE);
      if (!this.#skip('(')) return true;
      if (!this.#comment()) return false;
    }
  }

  #specification(): boolean {
    this.#take(SPACE);
    const local = this.#peek() === '"' ? (this.#take(QUOTED)?.length ?? 0) > 2 : this.#dottedAtom();
    if (!local || !this.#skip('@')) return false;
    this.#take(SPACE);
    if (this.#peek() !== '[') return this.#dottedAtom();
    const literal = this.#take(LITERAL);
    return literal !== undefined && parseAddress(literal.slice(1, -1)) !== undefined;
  }

  #dottedAtom(): boolean {
    const atom = this.#take(ATOM);
    return atom !== undefined && !/^\.|\.\.|\.$/.test(atom);
  }

  #phrase(): boolean {
    for (let words = 0; ; words++) {
      if (words > 0 && !this.comments()) return false;
      this.#take(SPACE);
      if ((this.#take(QUOTED) ?? this.#take(ATOM)) === undefined) return words > 0;
    }
  }

  #group(): number | undefined {
    this.#take(SPACE);
    if (this.#skip(';')) return this.comments() ? 0 : undefined;
    for (let count = 1; ; count++) {
      if (this.address(false) === undefined || !this.comments()) return undefined;
      if (this.#skip(';')) return this.comments() ? count : undefined;
      if (!this.#skip(',')) return undefined;
    }
  }

  /** After its opening; comments may be inside of each other. */
  #comment(): boolean {
    for (let depth = 1; depth > 0; this.#at++) {
      const character = this.#peek();
      if (character === undefined) return false;
      if (character === '\\' && this.#at + 1 < this.#text.length) this.#at++;
      else if (character === '(') depth++;
      else if (character === ')') depth--;
    }
    return true;
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #skip(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

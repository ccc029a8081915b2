import { Fault } from '../fault.ts';
import { caseless, negated, PERL_CLASSES, POSIX_CLASSES, unicodeClass } from './character-classes.ts';
import type { Assertion, CharacterTest, RegexNode } from './regex-syntax.ts';

const MAX_REPEAT = 1000;
const MAX_DEPTH = 100;
const MAX_LENGTH = 4096;
/** Each is asked about each character of a text. */
const MAX_CLASS_MEMBERS = 256;

/** A pattern in the syntax of RE2, which CEL and Rego use; PC_POLICY_CONDITION for anything else, back references and look-around among it. */
export function parseRegex(pattern: string): RegexNode | Fault {
  if (pattern.length > MAX_LENGTH) return fault(`a regular expression of more than ${MAX_LENGTH} characters`);
  try {
    return new Parser(pattern).parse();
  } catch (problem) {
    if (problem instanceof SyntaxProblem) return fault(`invalid regular expression: ${problem.message}`);
    throw problem;
  }
}

function fault(message: string): Fault {
  return new Fault('PC_POLICY_CONDITION', message);
}

/** `\\Qa.b\\E` as `a\\.b`. Every escape is looked at, so that `\\\\Q` begins nothing. */
function unquoted(pattern: string): string {
  return pattern.replace(/\\(?:Q([\s\S]*?)(?:\\E|$)|[\s\S])/g, (escape, quoted?: string) =>
    quoted === undefined ? escape : quoted.replace(/[\\^$.*+?()[\]{}|-]/g, '\\$&'),
  );
}

class SyntaxProblem extends Error {}

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

const ESCAPES: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  A: 'textStart',
  z: 'textEnd',
  b: 'boundary',
  B: 'inside',
};

class Parser {
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;
  #captures = 0;
  #flags: Flags = { i: false, m: false, s: false };

  constructor(pattern: string) {
    this.#characters = Array.from(unquoted(pattern));
  }

  parse(): RegexNode {
    const node = this.#choice();
    if (this.#at < this.#characters.length) throw new SyntaxProblem('unexpected `)`');
    return node;
  }

  get #next(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(): string {
    const character = this.#characters[this.#at];
    if (character === undefined) throw new SyntaxProblem('it ends too early');
    this.#at += 1;
    return character;
  }

  #accept(text: string): boolean {
    if (!text.split('').every((character, index) => this.#characters[this.#at + index] === character))
      return false;
    this.#at += text.length;
    return true;
  }

  /** Flags set inside a group end with it. */
  #choice(): RegexNode {
    const flags = this.#flags;
    if (++this.#depth > MAX_DEPTH) throw new SyntaxProblem('nested too deeply');
    const nodes = [this.#sequence()];
    while (this.#accept('|')) nodes.push(this.#sequence());
    this.#depth -= 1;
    this.#flags = flags;
    return nodes.length === 1 ? (nodes[0] as RegexNode) : { kind: 'choice', nodes };
  }

  #sequence(): RegexNode {
    const nodes: RegexNode[] = [];
    while (this.#next !== undefined && this.#next !== '|' && this.#next !== ')') {
      const atom = this.#atom();
      if (atom !== undefined) nodes.push(this.#repeated(atom));
    }
    return { kind: 'sequence', nodes };
  }

  #atom(): RegexNode | undefined {
    const character = this.#take();
    const { m, s } = this.#flags;
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return this.#test(this.#class());
      case '.':
        return { kind: 'character', test: s ? () => true : (point) => point !== 0x0a };
      case '^':
        return { kind: 'assertion', assertion: m ? 'lineStart' : 'textStart' };
      case '$':
        return { kind: 'assertion', assertion: m ? 'lineEnd' : 'textEnd' };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw new SyntaxProblem(`nothing to repeat before \`${character}\``);
      default:
        return this.#literal(character);
    }
  }

  #literal(character: string): RegexNode {
    const wanted = character.codePointAt(0);
    return this.#test((point) => point === wanted);
  }

  #test(test: CharacterTest): RegexNode {
    return { kind: 'character', test: this.#flags.i ? caseless(test) : test };
  }

  /** Undefined for flags that stand alone. */
  #group(): RegexNode | undefined {
    const outside = this.#flags;
    const isPlain = !this.#accept('?');
    const isNamed = !isPlain && (this.#accept('P<') || this.#accept('<'));
    const name = isNamed ? this.#groupName() : undefined;
    if (!isPlain && !isNamed && this.#groupFlags()) return undefined;
    const number = isPlain || isNamed ? ++this.#captures : 0;
    const node = this.#choice();
    if (!this.#accept(')')) throw new SyntaxProblem('a `(` without `)`');
    this.#flags = outside;
    return number === 0 ? node : { kind: 'capture', number, name, node };
  }

  #groupName(): string {
    let name = '';
    while (this.#next !== undefined && /\w/.test(this.#next)) name += this.#take();
    if (name === '' || !this.#accept('>')) throw new SyntaxProblem('a group with a bad name');
    return name;
  }

  /** True when the flags stand alone, `(?i)`; they hold until the group around them ends. */
  #groupFlags(): boolean {
    let on = true;
    let flags = this.#flags;
    for (;;) {
      const character = this.#take();
      if (character === ':' || character === ')') {
        this.#flags = flags;
        return character === ')';
      }
      if (character === '-') on = false;
      else if (character === 'i' || character === 'm' || character === 's')
        flags = { ...flags, [character]: on };
      else throw new SyntaxProblem(`\`(?${character}\` is not supported`);
    }
  }

  #repeated(atom: RegexNode): RegexNode {
    const bounds = this.#bounds();
    if (bounds === undefined) return atom;
    const isGreedy = !this.#accept('?');
    const again = this.#next;
    if (again === '*' || again === '+' || again === '?') throw new SyntaxProblem('two repetitions in a row');
    return { kind: 'repeat', node: atom, min: bounds[0], max: bounds[1], isGreedy };
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#accept('*')) return [0, Infinity];
    if (this.#accept('+')) return [1, Infinity];
    if (this.#accept('?')) return [0, 1];
    const rest = this.#next === '{' ? this.#characters.slice(this.#at, this.#at + 12).join('') : '';
    const match = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(rest);
    // RE2 takes a brace that begins no repetition as itself.
    if (match === null) return undefined;
    this.#at += match[0].length;
    const min = Number(match[1]);
    const upper = match[3] === '' ? Infinity : Number(match[3]);
    const max = match[2] === undefined ? min : upper;
    const largest = max === Infinity ? min : max;
    if (max < min || largest > MAX_REPEAT) throw new SyntaxProblem(`a repetition \`${match[0]}\``);
    return [min, max];
  }

  #escape(): RegexNode {
    const next = this.#next;
    const assertion = next === undefined ? undefined : ASSERTIONS[next];
    if (assertion !== undefined) {
      this.#at += 1;
      return { kind: 'assertion', assertion };
    }
    const set = this.#classEscape();
    if (set !== undefined) return this.#test(set);
    const point = this.#point();
    return this.#test((candidate) => candidate === point);
  }

  /** After a backslash: `d`, `W`, `pL`, `P{Greek}`; undefined when it is something else. */
  #classEscape(): CharacterTest | undefined {
    const letter = this.#next ?? '';
    const perl = PERL_CLASSES.get(letter.toLowerCase());
    if (perl !== undefined) {
      this.#at += 1;
      return letter === letter.toLowerCase() ? perl : negated(perl);
    }
    if (letter !== 'p' && letter !== 'P') return undefined;
    this.#at += 1;
    let name = this.#take();
    if (name === '{') {
      name = '';
      for (let character = this.#take(); character !== '}'; character = this.#take()) name += character;
    }
    const test = unicodeClass(name.replace(/^\^/, ''));
    if (test === undefined) throw new SyntaxProblem('an unknown Unicode class');
    return (letter === 'P') === name.startsWith('^') ? test : negated(test);
  }

  /** After a backslash: one character. */
  #point(): number {
    const character = this.#take();
    const control = ESCAPES[character];
    if (control !== undefined) return control;
    if (character === 'x') return this.#hexadecimal();
    if (/^[\w\s]$/.test(character)) throw new SyntaxProblem(`\`\\${character}\` is not supported`);
    return character.codePointAt(0) ?? 0;
  }

  #hexadecimal(): number {
    let digits = '';
    if (this.#accept('{')) for (let next = this.#take(); next !== '}'; next = this.#take()) digits += next;
    else digits = this.#take() + this.#take();
    const point = /^[\da-fA-F]{1,6}$/.test(digits) ? Number.parseInt(digits, 16) : Infinity;
    if (point > 0x10ffff) throw new SyntaxProblem('a bad `\\x`');
    return point;
  }

  #class(): CharacterTest {
    const isNegated = this.#accept('^');
    const tests: CharacterTest[] = [];
    do tests.push(this.#classMember());
    while (!this.#accept(']'));
    if (tests.length > MAX_CLASS_MEMBERS) throw new SyntaxProblem('a class of too many characters');
    const test: CharacterTest = (point) => tests.some((member) => member(point));
    // The case counts before the negation: `(?i)[^a]` takes no `A`.
    return isNegated ? negated(this.#flags.i ? caseless(test) : test) : test;
  }

  #classMember(): CharacterTest {
    if (this.#accept('[:')) return this.#posixClass();
    if (this.#accept('\\')) {
      const set = this.#classEscape();
      if (set !== undefined) return set;
      return this.#range(this.#point());
    }
    return this.#range(this.#take().codePointAt(0) ?? 0);
  }

  #posixClass(): CharacterTest {
    const isNegated = this.#accept('^');
    let name = '';
    while (!this.#accept(':]')) name += this.#take();
    const test = POSIX_CLASSES.get(name);
    if (test === undefined) throw new SyntaxProblem('an unknown class of characters');
    return isNegated ? negated(test) : test;
  }

  #range(low: number): CharacterTest {
    const isRange = this.#next === '-' && this.#characters[this.#at + 1] !== ']';
    if (!isRange) return (point) => point === low;
    this.#at += 1;
    const high = this.#accept('\\') ? this.#point() : (this.#take().codePointAt(0) ?? 0);
    if (high < low) throw new SyntaxProblem('a range that ends before it begins');
    return (point) => point >= low && point <= high;
  }
}

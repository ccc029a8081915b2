import { charged, type Charge } from './charge.ts';
import { formatFloat } from './format-float.ts';
import { quoteGo } from '../values/print-value.ts';

/** An operand of Go's Sprintf, as Rego hands it over. */
export type Operand = (
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'int64' | '*big.Int'; readonly value: bigint }
  | { readonly kind: 'float64'; readonly value: number }
) & {
  /** Characters, of which each conversion costs. */
  readonly size: number;
};

interface Directive {
  readonly flags: ReadonlySet<string>;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly verb: string;
}

const MAX_NUMBER = 1_000_000;
const FLAGS = '+-# 0';
const INTEGER_BASES: Readonly<Record<string, number>> = { b: 2, o: 8, O: 8, d: 10, v: 10, x: 16, X: 16 };
const BASE_PREFIXES: Readonly<Record<string, string>> = { b: '0b', o: '0', O: '0o', x: '0x', X: '0X' };

/** Go's fmt.Sprintf for strings, integers and doubles, errors in the text included. */
export function formatGo(format: string, operands: readonly Operand[], charge: Charge): string {
  return new Formatter(format, operands, charge).run();
}

class Formatter {
  readonly #format: string;
  readonly #operands: readonly Operand[];
  readonly #charge: Charge;
  #at = 0;
  #next = 0;
  /** An operand was chosen by its number, so none is too many. */
  #isReordered = false;
  /** A number between brackets is none, or the operand is not there. */
  #isBadIndex = false;

  constructor(format: string, operands: readonly Operand[], charge: Charge) {
    this.#format = format;
    this.#operands = operands;
    this.#charge = charge;
  }

  run(): string {
    let text = '';
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at);
      const end = percent < 0 ? this.#format.length : percent;
      text += this.#format.slice(this.#at, end);
      this.#at = end + 1;
      if (percent >= 0) text += this.#directive();
    }
    const extra = this.#operands.slice(this.#next).map((operand) => `${operand.kind}=${plain(operand)}`);
    return extra.length === 0 || this.#isReordered ? text : `${text}%!(EXTRA ${extra.join(', ')})`;
  }

  #directive(): string {
    this.#charge(16);
    const flags = new Set<string>();
    for (let flag = this.#format[this.#at]; flag !== undefined && FLAGS.includes(flag);) {
      flags.add(flag);
      flag = this.#format[++this.#at];
    }
    this.#isBadIndex = false;
    this.#index();
    const [width, widthProblem] = this.#number('%!(BADWIDTH)');
    if (width !== undefined && width < 0) flags.add('-');
    const [precision, precisionProblem] = this.#precision();
    this.#index();
    const point = this.#format.codePointAt(this.#at);
    if (point === undefined) return `${widthProblem}${precisionProblem}%!(NOVERB)`;
    const verb = String.fromCodePoint(point);
    this.#at += verb.length;
    const directive = { flags, width: width === undefined ? undefined : Math.abs(width), precision, verb };
    return widthProblem + precisionProblem + this.#convert(directive);
  }

  #convert(directive: Directive): string {
    const { verb, width = 0, precision = 0 } = directive;
    if (verb === '%') return '%';
    if (this.#isBadIndex) return `%!${verb}(BADINDEX)`;
    const operand = this.#operands[this.#next];
    if (operand === undefined) return `%!${verb}(MISSING)`;
    this.#next++;
    charged(this.#charge, width + precision);
    // What is only put into the text costs next to nothing; all else goes through it character by character.
    const isCopied = operand.kind === 'string' && /[sv]/.test(verb) && width + precision === 0;
    this.#charge(isCopied ? operand.size >> 6 : operand.size);
    return convert(operand, directive) ?? badVerb(operand, directive);
  }

  /** `[3]` */
  #index(): void {
    if (this.#format[this.#at] !== '[') return;
    this.#isReordered = true;
    // Not looked for farther than it can be: formats of nothing but `[` have none.
    const length = this.#format.slice(this.#at, this.#at + 9).indexOf(']');
    const end = length < 0 ? -1 : this.#at + length;
    const digits = end < 0 ? '' : this.#format.slice(this.#at + 1, end);
    this.#at = end < 0 ? this.#at + 1 : end + 1;
    const index = /^\d{1,7}$/.test(digits) ? Number(digits) - 1 : -1;
    if (index < 0 || index >= this.#operands.length) this.#isBadIndex = true;
    else this.#next = index;
  }

  /** Digits, or `*` for the next operand; the text that says what is wrong with that. */
  #number(problem: string): readonly [number | undefined, string] {
    if (this.#format[this.#at] === '*') {
      this.#at++;
      const operand = this.#operands[this.#next++];
      const value = operand?.kind === 'int64' ? Number(operand.value) : NaN;
      return Math.abs(value) <= MAX_NUMBER ? [value, ''] : [undefined, problem];
    }
    const digits = /^\d+/.exec(this.#format.slice(this.#at, this.#at + 8))?.[0];
    if (digits === undefined) return [undefined, ''];
    this.#at += digits.length;
    return Number(digits) <= MAX_NUMBER ? [Number(digits), ''] : [undefined, problem];
  }

  #precision(): readonly [number | undefined, string] {
    this.#index();
    if (this.#format[this.#at] !== '.') return [undefined, ''];
    this.#at++;
    this.#index();
    const [precision, problem] = this.#number('%!(BADPREC)');
    if (problem !== '' || (precision !== undefined && precision < 0))
      return [undefined, problem || '%!(BADPREC)'];
    return [precision ?? 0, ''];
  }
}

function convert(operand: Operand, directive: Directive): string | undefined {
  if (directive.verb === 'T') return pad(operand.kind, directive);
  switch (operand.kind) {
    case 'string':
      return convertText(operand.value, directive);
    case 'float64':
      return convertDouble(operand.value, directive);
    case 'int64':
    case '*big.Int':
      return convertInteger(operand, directive);
    default:
      return operand satisfies never;
  }
}

function convertText(value: string, directive: Directive): string | undefined {
  const { verb, precision, flags } = directive;
  const cut = precision === undefined ? value : Array.from(value).slice(0, precision).join('');
  switch (verb) {
    case 'v':
    case 's':
      return pad(cut, directive);
    case 'q':
      return pad(flags.has('#') && !/[`\n]/.test(cut) ? `\`${cut}\`` : quoteGo(cut), directive);
    case 'x':
    case 'X':
      return pad(hexadecimal(value, directive), directive);
    default:
      return undefined;
  }
}

function hexadecimal(value: string, { verb, precision, flags }: Directive): string {
  const bytes = Buffer.from(value).subarray(0, precision);
  const pairs = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'));
  const prefix = flags.has('#') && pairs.length > 0 ? '0x' : '';
  const text = flags.has(' ') ? pairs.map((pair) => prefix + pair).join(' ') : prefix + pairs.join('');
  return verb === 'X' ? text.toUpperCase() : text;
}

function convertInteger(
  operand: Operand & { readonly value: bigint },
  directive: Directive,
): string | undefined {
  const { verb } = directive;
  const { value, kind } = operand;
  const base = INTEGER_BASES[verb] ?? (verb === 's' && kind === '*big.Int' ? 10 : undefined);
  if (base !== undefined) return padInteger(value, base, directive);
  if (kind !== 'int64') return undefined;
  switch (verb) {
    case 'c':
      return pad(character(value), directive);
    case 'q':
      return pad(
        `'${quoteGo(character(value)).slice(1, -1).replace('\\"', '"').replace("'", "\\'")}'`,
        directive,
      );
    case 'U':
      return pad(codePoint(value, directive), directive);
    default:
      return undefined;
  }
}

function codePoint(value: bigint, { flags }: Directive): string {
  const text = `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
  return flags.has('#') ? `${text} '${character(value)}'` : text;
}

function character(value: bigint): string {
  const isPoint = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);
  return isPoint ? String.fromCodePoint(Number(value)) : '\ufffd';
}

function padInteger(value: bigint, base: number, directive: Directive): string {
  const { verb, flags, precision, width = 0 } = directive;
  const sign = signOf(value < 0n, flags);
  const prefix = flags.has('#') || verb === 'O' ? (BASE_PREFIXES[verb] ?? '') : '';
  let digits = (value < 0n ? -value : value).toString(base);
  if (verb === 'X') digits = digits.toUpperCase();
  if (precision === 0 && value === 0n) digits = '';
  // Zeros count as precision, except left of a minus flag.
  const zeros = flags.has('0') && !flags.has('-') && precision === undefined ? width - sign.length : 0;
  digits = digits.padStart(Math.max(precision ?? 0, zeros), '0');
  return pad(sign + prefix + digits, { ...directive, flags: without(flags, '0') });
}

function convertDouble(value: number, directive: Directive): string | undefined {
  const { verb, precision, flags, width = 0 } = directive;
  const digits = formatFloat(Math.abs(value), verb, precision);
  if (digits === undefined) return undefined;
  const sign = signOf(value < 0 || Object.is(value, -0), flags);
  if (!flags.has('0') || flags.has('-') || !Number.isFinite(value)) {
    return pad(sign + digits, { ...directive, flags: without(flags, '0') });
  }
  return sign + digits.padStart(width - sign.length, '0');
}

function signOf(isNegative: boolean, flags: ReadonlySet<string>): string {
  if (isNegative) return '-';
  if (flags.has('+')) return '+';
  return flags.has(' ') ? ' ' : '';
}

function without(flags: ReadonlySet<string>, flag: string): ReadonlySet<string> {
  return flags.difference(new Set([flag]));
}

/** By characters, not by UTF-16 units. */
function pad(text: string, { width, flags }: Directive): string {
  if (width === undefined) return text;
  const missing = Math.max(0, width - Array.from(text).length);
  if (flags.has('-')) return text + ' '.repeat(missing);
  return (flags.has('0') ? '0' : ' ').repeat(missing) + text;
}

function badVerb(operand: Operand, directive: Directive): string {
  const type = operand.kind === '*big.Int' ? 'big.Int' : operand.kind;
  return `%!${directive.verb}(${type}=${convert(operand, { ...directive, verb: 'v' }) ?? ''})`;
}

/** `%v` */
function plain(operand: Operand): string {
  if (operand.kind !== 'float64') return String(operand.value);
  return (
    convertDouble(operand.value, { flags: new Set(), width: undefined, precision: undefined, verb: 'v' }) ??
    ''
  );
}

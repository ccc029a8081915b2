import { sortedEntries } from './compare-values.ts';
import { isArray, isRegoNumber, numberText, RegoSet, type RegoValue } from './rego-value.ts';

interface Printer {
  quote(text: string): string;
  /** Told before characters are written. */
  spend(characters: number): void;
}

/**
 * The text of a value as a term that `opa_value_parse` and {@link parseValue} read: JSON with sets and keys of any type. A value may
 * hold another one many times, so that its text is longer than all that it was made from: beyond so many characters a RangeError.
 */
export function printValue(value: RegoValue, most: number = Infinity): string {
  let room = most;
  return print(value, {
    quote: JSON.stringify,
    spend(characters) {
      room -= characters;
      if (room < 0) throw new RangeError('too large to be printed');
    },
  });
}

/** As people see it, in `sprintf` and `print`: strings are quoted as Go does. */
export function displayValue(value: RegoValue): string {
  return print(value, { quote: quoteGo, spend: () => undefined });
}

function print(value: RegoValue, printer: Printer): string {
  printer.spend(typeof value === 'string' ? value.length + 2 : 1);
  if (typeof value === 'string') return printer.quote(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (isRegoNumber(value)) return numberText(value);
  const write = (item: RegoValue): string => print(item, printer);
  if (isArray(value)) return `[${value.map(write).join(', ')}]`;
  if (value instanceof RegoSet) {
    return value.members.length === 0 ? 'set()' : `{${value.members.map(write).join(', ')}}`;
  }
  return `{${sortedEntries(value)
    .map(([key, item]) => `${write(key)}: ${write(item)}`)
    .join(', ')}}`;
}

const SHORT: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};
/** What Go's strconv.Quote writes otherwise: all that is not letter, mark, number, punctuation, symbol or the ASCII space. */
const ESCAPED = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

export function quoteGo(text: string): string {
  return `"${text.replace(ESCAPED, escape)}"`;
}

function escape(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x80) return `\\x${point.toString(16).padStart(2, '0')}`;
  if (point <= 0xffff) return `\\u${point.toString(16).padStart(4, '0')}`;
  return `\\U${point.toString(16).padStart(8, '0')}`;
}

import { sorted, sortedEntries } from './compare-values.ts';
import { isArray, isRegoNumber, numberText, RegoSet, type RegoValue } from './rego-value.ts';

type Quote = (text: string) => string;

/** The text of a value as a term that `opa_value_parse` and {@link parseValue} read: JSON with sets and keys of any type. */
export function printValue(value: RegoValue): string {
  return print(value, JSON.stringify);
}

/** As people see it, in `sprintf` and `print`: strings are quoted as Go does. */
export function displayValue(value: RegoValue): string {
  return print(value, quoteGo);
}

function print(value: RegoValue, quote: Quote): string {
  if (typeof value === 'string') return quote(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (isRegoNumber(value)) return numberText(value);
  const write = (item: RegoValue): string => print(item, quote);
  if (isArray(value)) return `[${value.map(write).join(', ')}]`;
  if (value instanceof RegoSet) {
    return value.members.length === 0 ? 'set()' : `{${sorted(value.members).map(write).join(', ')}}`;
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

import type { JsonValue } from '@portcullis/contract';
import { parseExact } from '../../kernel/json/exact-json.ts';
import { fromJson, jsonText } from '../values/json-values.ts';
import type { RegoObject, RegoValue } from '../values/rego-value.ts';
import { isObject } from '../values/rego-value.ts';
import type { Charge } from './charge.ts';
import { fail } from './operands.ts';

/** Undefined when it is no JSON. */
export function readJson(text: string, charge: Charge): JsonValue | undefined {
  charge(costOf(text));
  try {
    return parseExact(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Of text that is read in another way afterwards. */
export function isJson(text: string, charge: Charge): boolean {
  charge(costOf(text));
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

export function readJsonObject(text: string, charge: Charge): RegoObject {
  const json = readJson(text, charge);
  const value: RegoValue = json === undefined ? fail('invalid JSON') : fromJson(json);
  return isObject(value) ? value : fail('decoded JSON type was not an object');
}

const ESCAPED = /[<>&\u2028\u2029]/g;

/** As Go writes JSON: also what HTML would take for its own is escaped. */
export function goJsonText(value: RegoValue, charge: Charge): string {
  const text = jsonText(value);
  charge(costOf(text));
  return text.replace(ESCAPED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Numbers and members take about a microsecond each, however short they are. */
function costOf(text: string): number {
  let separators = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === ',' || character === ':' || character === '[') separators++;
  }
  return 1 + (text.length >> 4) + separators * 10;
}

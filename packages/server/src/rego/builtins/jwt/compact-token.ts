import type { RegoObject } from '../../values/rego-value.ts';
import { decodeBase64Url } from '../base64.ts';
import type { Charge } from '../charge.ts';
import { readJsonObject } from '../json-text.ts';
import { fail } from '../operands.ts';

/** The three parts of RFC 7515, section 7.1, as they are written. */
export interface CompactToken {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
}

export function splitToken(text: string): CompactToken {
  const parts = text.split('.', 4);
  const [header = '', payload = '', signature = ''] = parts;
  return parts.length === 3 ? { header, payload, signature } : fail('encoded JWT must have 3 sections');
}

/** What is signed. */
export function signedPart({ header, payload }: CompactToken): string {
  return `${header}.${payload}`;
}

export function readHeader({ header }: CompactToken, charge: Charge): RegoObject {
  const members = readJsonObject(decodeBase64Url(header).toString(), charge);
  return members.has('enc') ? fail('JWT is a JWE object, which is not supported') : members;
}

export interface HeaderFields {
  readonly alg: string;
  readonly kid: string;
  readonly cty: string;
  /** Of RFC 7515, section 4.1.11: without an algorithm, or with a critical member that nobody here knows, it is invalid. */
  readonly isValid: boolean;
}

const KNOWN = new Set(['alg', 'kid', 'typ', 'cty', 'crit']);

export function fieldsOf(header: RegoObject): HeaderFields {
  const text = (name: string): string => {
    const value = header.get(name) ?? (header.has(name) ? null : '');
    return typeof value === 'string' ? value : fail(`${name}: must be a string`);
  };
  text('typ');
  const alg = text('alg');
  const isValid = alg !== '' && criticalOf(header).every((name) => KNOWN.has(name) || !header.has(name));
  return { alg, kid: text('kid'), cty: text('cty'), isValid };
}

function criticalOf(header: RegoObject): readonly string[] {
  if (!header.has('crit')) return [];
  const critical = header.get('crit');
  if (!Array.isArray(critical)) return fail('crit: must be a list');
  const names = critical.filter((name) => typeof name === 'string');
  return names.length === 0 ? fail('crit: must be a nonempty list') : names;
}

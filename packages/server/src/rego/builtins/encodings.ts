import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { sortedEntries } from '../values/compare-values.ts';
import { isArray, RegoSet, type RegoValue } from '../values/rego-value.ts';
import type { Builtin } from './builtin.ts';
import { charged } from './charge.ts';
import { fail, object, text } from './operands.ts';

export const ENCODINGS: Readonly<Record<string, Builtin>> = {
  'base64url.encode_no_pad': (args) => Buffer.from(text(args, 0)).toString('base64url'),

  'hex.encode': (args) => Buffer.from(text(args, 0)).toString('hex'),
  'hex.decode': (args) => {
    const digits = text(args, 0);
    return /^(?:[\da-fA-F]{2})*$/.test(digits) ? Buffer.from(digits, 'hex').toString() : fail('invalid hex');
  },

  'urlquery.encode': (args) => escapeQuery(text(args, 0)),
  'urlquery.decode': (args) => unescapeQuery(text(args, 0)),
  'urlquery.encode_object': (args, { charge }) => {
    const pairs: string[] = [];
    for (const [key, value] of sortedEntries(object(args, 0))) {
      if (typeof key !== 'string') return fail('keys must be strings');
      for (const item of queryValues(value)) pairs.push(`${escapeQuery(key)}=${escapeQuery(item)}`);
    }
    charge(pairs.length * 20);
    return pairs.join('&');
  },
  'urlquery.decode_object': (args, { charge }) => {
    const query = text(args, 0);
    charged(charge, query.length * 4);
    const decoded = new Map<RegoValue, string[]>();
    for (const pair of query.split('&')) {
      if (pair.includes(';')) fail('invalid semicolon separator in query');
      charge(20);
      if (pair === '') continue;
      const [key = '', ...rest] = pair.split('=');
      const name = unescapeQuery(key);
      const values = decoded.get(name) ?? [];
      values.push(unescapeQuery(rest.join('=')));
      decoded.set(name, values);
    }
    return decoded;
  },

  'crypto.md5': (args, { charge }) => digest('md5', text(args, 0), charge),
  'crypto.sha1': (args, { charge }) => digest('sha1', text(args, 0), charge),
  'crypto.sha256': (args, { charge }) => digest('sha256', text(args, 0), charge),
  'crypto.hmac.md5': (args, { charge }) => hmac('md5', text(args, 0), text(args, 1), charge),
  'crypto.hmac.sha1': (args, { charge }) => hmac('sha1', text(args, 0), text(args, 1), charge),
  'crypto.hmac.sha256': (args, { charge }) => hmac('sha256', text(args, 0), text(args, 1), charge),
  'crypto.hmac.sha512': (args, { charge }) => hmac('sha512', text(args, 0), text(args, 1), charge),
  'crypto.hmac.equal': (args) => {
    const [first, second] = [Buffer.from(text(args, 0)), Buffer.from(text(args, 1))];
    return first.length === second.length && timingSafeEqual(first, second);
  },
};

type Charge = (units: number) => void;

function digest(algorithm: string, value: string, charge: Charge): string {
  charged(charge, value.length * 4);
  return createHash(algorithm).update(value).digest('hex');
}

function hmac(algorithm: string, value: string, key: string, charge: Charge): string {
  charged(charge, (value.length + key.length) * 4);
  return createHmac(algorithm, key).update(value).digest('hex');
}

function queryValues(value: RegoValue): readonly string[] {
  if (typeof value === 'string') return [value];
  const items = value instanceof RegoSet ? value.members : value;
  if (!isArray(items)) return fail('values must be string, array[string], or set[string]');
  return items.map((item) => (typeof item === 'string' ? item : fail('values must be strings')));
}

/** Go's url.QueryEscape. */
export function escapeQuery(value: string): string {
  return encodeURIComponent(value.toWellFormed())
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

export function unescapeQuery(value: string): string {
  const bytes = value.replaceAll('+', ' ');
  if (/%(?![\da-fA-F]{2})/.test(bytes)) return fail('invalid URL escape');
  return Buffer.from(
    bytes.replace(/(?:%[\da-fA-F]{2})+/g, (escapes) =>
      Buffer.from(escapes.replaceAll('%', ''), 'hex').toString(),
    ),
  ).toString();
}

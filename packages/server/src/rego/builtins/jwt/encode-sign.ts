import type { Charge } from '../charge.ts';
import { readJson, readJsonObject } from '../json-text.ts';
import { fail } from '../operands.ts';
import { ALGORITHMS, signed } from './algorithms.ts';
import { readWebKeys } from './token-keys.ts';

interface Parts {
  /** JSON texts, which are signed as they are. */
  readonly header: string;
  readonly payload: string;
  /** A JSON Web Key, or a set of which the first is taken. */
  readonly key: string;
}

export function encodeSign({ header, payload, key: keys }: Parts, charge: Charge): string {
  const [first] = readWebKeys(keys, charge);
  if (first === undefined) return fail('no keys found in JWK set');
  const fields = readJsonObject(header, charge);
  const algorithm = ALGORITHMS.get(fields.get('alg') as string);
  if (algorithm === undefined) return fail('unknown JWS algorithm');
  const typ = fields.get('typ');
  const isJwt = typeof typ !== 'string' || typ === 'JWT';
  if (isJwt && readJson(payload, charge) === undefined) return fail('type is JWT but payload is not JSON');
  const bytes = `${base64Url(header)}.${base64Url(payload)}`;
  return `${bytes}.${signed({ key: first.key, algorithm }, bytes, charge).toString('base64url')}`;
}

function base64Url(value: string): string {
  return Buffer.from(value).toString('base64url');
}

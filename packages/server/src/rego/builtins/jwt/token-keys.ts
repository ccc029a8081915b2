import { createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { JsonObject, JsonValue } from '@portcullis/contract';
import { isJsonArray, isJsonObject } from '../../../kernel/json/json-equal.ts';
import { decodeBase64Url } from '../base64.ts';
import type { Charge } from '../charge.ts';
import { readJson } from '../json-text.ts';
import { fail } from '../operands.ts';
import { decodePem, type PemBlock } from '../pem.ts';
import { ALGORITHMS, type Key } from './algorithms.ts';

export interface TokenKey {
  readonly key: Key;
  /** Empty where the key does not say. */
  readonly alg: string;
  readonly kid: string;
}

/** To read a key: the ones on a curve are checked for being on it. */
const COST = { rsa: 500, curve: 3000 };

/** Of a certificate or a public key in PEM, or of a JSON Web Key or a set of them. */
export function readVerificationKeys(text: string, charge: Charge): readonly TokenKey[] {
  const block = decodePem(text, charge);
  if (block === undefined) return readWebKeys(text, charge);
  if (block.rest !== '') return fail('extra data after a PEM certificate block');
  charge(COST.curve);
  return [{ key: readPublicKey(block), alg: '', kid: '' }];
}

/** The keys of a set, or the one key; those of unknown algorithms are left out. */
export function readWebKeys(text: string, charge: Charge): readonly TokenKey[] {
  const json = readJson(text, charge);
  if (!isJsonObject(json)) return fail('failed to parse a JWK key (set)');
  const list = json['keys'] ?? [json];
  if (!isJsonArray(list)) return fail('failed to parse a JWK key (set)');
  return list.map((item) => readWebKey(item, charge)).filter(({ alg }) => alg === '' || ALGORITHMS.has(alg));
}

function readWebKey(json: JsonValue, charge: Charge): TokenKey {
  if (!isJsonObject(json)) return fail('a JWK must be an object');
  const { alg = '', kid = '' } = json;
  if (typeof alg !== 'string' || typeof kid !== 'string') return fail('`alg` and `kid` must be strings');
  return { key: readWebKeyMaterial(json, charge), alg, kid };
}

function readWebKeyMaterial(json: JsonObject, charge: Charge): Key {
  const { kty, k, n } = json;
  if (kty === 'oct') return typeof k === 'string' ? decodeBase64Url(k) : fail('a JWK without `k`');
  charge(kty === 'RSA' ? COST.rsa : COST.curve);
  // Base64 of 16384 bits: reading takes longer than linear time.
  if (typeof n === 'string' && n.length > 2800) return fail('a JWK with too long a modulus');
  return attempt(() =>
    json['d'] === undefined
      ? createPublicKey({ key: json, format: 'jwk' })
      : createPrivateKey({ key: json, format: 'jwk' }),
  );
}

function readPublicKey({ label, bytes }: PemBlock): KeyObject {
  if (bytes.length > 16_384) return fail('a certificate or key is too large');
  if (label === 'CERTIFICATE') return attempt(() => new X509Certificate(bytes).publicKey);
  if (label !== 'PUBLIC KEY') return fail('failed to extract a key from the PEM certificate');
  return attempt(() => createPublicKey({ key: bytes, format: 'der', type: 'spki' }));
}

/** OpenSSL's words are no use to a policy. */
function attempt(read: () => KeyObject): KeyObject {
  try {
    return read();
  } catch {
    return fail('failed to parse a key');
  }
}

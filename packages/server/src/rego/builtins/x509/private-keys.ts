import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { RegoValue } from '../../values/rego-value.ts';
import { decodeBase64 } from '../base64.ts';
import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import { decodePem } from '../pem.ts';
import { wholeNumber } from './public-key.ts';

/** By the label of PEM. An encrypted key is none of them, so no password is ever stretched. */
const TYPES = new Map<string, 'pkcs1' | 'pkcs8' | 'sec1'>([
  ['RSA PRIVATE KEY', 'pkcs1'],
  ['PRIVATE KEY', 'pkcs8'],
  ['EC PRIVATE KEY', 'sec1'],
]);
/** To read a key, and what is public of it. */
const COST = 10_000;
const LARGEST = 16 * 1024;

/** Private keys of PEM, or of base64 of it; blocks of another kind are left out. */
export function readPrivateKeys(source: string, charge: Charge): readonly KeyObject[] {
  charge(1 + (source.length >> 3));
  const keys: KeyObject[] = [];
  let rest = decodeBase64(source)?.toString('latin1') ?? source;
  for (let block = decodePem(rest, charge); block !== undefined; block = decodePem(rest, charge)) {
    const type = TYPES.get(block.label);
    if (type !== undefined) keys.push(readPrivateKey(block.bytes, type, charge));
    rest = block.rest;
  }
  return keys;
}

export function readPrivateKey(key: Buffer, type: 'pkcs1' | 'pkcs8' | 'sec1', charge: Charge): KeyObject {
  charge(COST);
  if (key.length > LARGEST) return fail('a private key is too large');
  try {
    return createPrivateKey({ key, format: 'der', type });
  } catch {
    return fail('failed to parse a private key');
  }
}

/** As a JSON Web Key. */
export function describeWebKey(key: KeyObject): RegoValue {
  return new Map<RegoValue, RegoValue>(Object.entries(exported(key)));
}

/** As Go writes its private keys in JSON. */
export function describePrivateKey(key: KeyObject): RegoValue {
  const { n = '', e = '', d = '', p = '', q = '', dp = '', dq = '', qi = '', x = '', y = '' } = exported(key);
  if (key.asymmetricKeyType === 'rsa') {
    return mapOf({
      N: wholeNumber(n),
      E: wholeNumber(e),
      D: wholeNumber(d),
      Primes: [wholeNumber(p), wholeNumber(q)],
      Precomputed: mapOf({
        Dp: wholeNumber(dp),
        Dq: wholeNumber(dq),
        Qinv: wholeNumber(qi),
        CRTValues: [],
      }),
    });
  }
  if (key.asymmetricKeyType === 'ec') {
    return mapOf({ Curve: new Map(), X: wholeNumber(x), Y: wholeNumber(y), D: wholeNumber(d) });
  }
  return Buffer.concat([Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')]).toString('base64');
}

const KINDS = new Set(['rsa', 'ec', 'ed25519']);

function exported(key: KeyObject): Readonly<Record<string, string>> {
  if (!KINDS.has(key.asymmetricKeyType ?? '')) return fail('a private key of an unknown kind');
  return key.export({ format: 'jwk' }) as Readonly<Record<string, string>>;
}

/** The SubjectPublicKeyInfo of a private key. */
export function publicPartOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' });
}

function mapOf(members: Readonly<Record<string, RegoValue>>): RegoValue {
  return new Map<RegoValue, RegoValue>(Object.entries(members));
}

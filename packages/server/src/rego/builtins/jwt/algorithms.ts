import {
  constants,
  createHmac,
  sign,
  timingSafeEqual,
  verify,
  type KeyObject,
  type SignKeyObjectInput,
  type VerifyKeyObjectInput,
} from 'node:crypto';
import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';

type Family = 'HS' | 'RS' | 'PS' | 'ES' | 'EdDSA';

export interface Algorithm {
  readonly family: Family;
  /** Absent where the algorithm of the key brings its own. */
  readonly hash?: string;
  /** Curve of the key, as OpenSSL names it (RFC 7518, section 3.4). */
  readonly curve?: string;
}

/** Of RFC 7518, section 3.1, and RFC 8037. There is no `none`: nothing is signed by it. */
export const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ['HS256', { family: 'HS', hash: 'sha256' }],
  ['HS384', { family: 'HS', hash: 'sha384' }],
  ['HS512', { family: 'HS', hash: 'sha512' }],
  ['RS256', { family: 'RS', hash: 'sha256' }],
  ['RS384', { family: 'RS', hash: 'sha384' }],
  ['RS512', { family: 'RS', hash: 'sha512' }],
  ['PS256', { family: 'PS', hash: 'sha256' }],
  ['PS384', { family: 'PS', hash: 'sha384' }],
  ['PS512', { family: 'PS', hash: 'sha512' }],
  ['ES256', { family: 'ES', hash: 'sha256', curve: 'prime256v1' }],
  ['ES384', { family: 'ES', hash: 'sha384', curve: 'secp384r1' }],
  ['ES512', { family: 'ES', hash: 'sha512', curve: 'secp521r1' }],
  ['EdDSA', { family: 'EdDSA' }],
]);

/** A secret of HMAC, or a key of the others: the type tells which algorithms it may serve. */
export type Key = KeyObject | Uint8Array;

/** Bits of an RSA modulus that a signature is checked with, and made with. */
const MOST_BITS = { public: 8192, private: 4096 };
/** As Go takes them. */
const LARGEST_EXPONENT = 2n ** 31n - 1n;

/** Whether a key is of the type that the algorithm takes; a public key is never a secret of HMAC. */
function fits(key: Key, { family, curve }: Algorithm): boolean {
  if (key instanceof Uint8Array) return family === 'HS';
  switch (family) {
    case 'HS':
      return false;
    case 'RS':
    case 'PS':
      return key.asymmetricKeyType === 'rsa';
    case 'ES':
      return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === curve;
    case 'EdDSA':
      return key.asymmetricKeyType === 'ed25519';
    default:
      return family satisfies never;
  }
}

/** Whether a signature is the key's for these bytes; false as well for a key that does not fit the algorithm. */
export function isSigned(
  { key, algorithm }: { readonly key: Key; readonly algorithm: Algorithm },
  bytes: string,
  signature: Uint8Array,
  charge: Charge,
): boolean {
  if (!fits(key, algorithm)) return false;
  charge(1 + (bytes.length >> 4));
  if (key instanceof Uint8Array) return isHmac(key, algorithm, bytes, signature);
  if (!isBounded(key)) return false;
  charge(costOf(key).verify);
  try {
    const input: VerifyKeyObjectInput = { key, ...optionsOf(algorithm) };
    return verify(algorithm.hash, Buffer.from(bytes), input, signature);
  } catch {
    // What OpenSSL does not take, such as a modulus of a few bits.
    return false;
  }
}

/** The signature; fails for a key that does not fit the algorithm. */
export function signed(
  { key, algorithm }: { readonly key: Key; readonly algorithm: Algorithm },
  bytes: string,
  charge: Charge,
): Buffer {
  if (!fits(key, algorithm)) return fail('the key does not fit the algorithm');
  charge(1 + (bytes.length >> 4));
  if (key instanceof Uint8Array) return hmac(key, algorithm, bytes);
  if (key.type !== 'private' || !isBounded(key)) return fail('no private key of a usable size');
  charge(costOf(key).sign);
  try {
    const input: SignKeyObjectInput = { key, ...optionsOf(algorithm) };
    return sign(algorithm.hash, Buffer.from(bytes), input);
  } catch {
    return fail('the key cannot sign');
  }
}

function isHmac(key: Uint8Array, algorithm: Algorithm, bytes: string, signature: Uint8Array): boolean {
  const wanted = hmac(key, algorithm, bytes);
  return wanted.length === signature.length && timingSafeEqual(wanted, signature);
}

function hmac(key: Uint8Array, { hash = '' }: Algorithm, bytes: string): Buffer {
  return createHmac(hash, key).update(bytes).digest();
}

function optionsOf({ family }: Algorithm): Omit<VerifyKeyObjectInput, 'key'> {
  if (family === 'ES') return { dsaEncoding: 'ieee-p1363' };
  if (family !== 'PS') return {};
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

/** Of a size that somebody may be made to wait for. */
export function isBounded({ type, asymmetricKeyDetails: details }: KeyObject): boolean {
  const most = type === 'private' ? MOST_BITS.private : MOST_BITS.public;
  return (details?.modulusLength ?? 0) <= most && (details?.publicExponent ?? 0n) <= LARGEST_EXPONENT;
}

/**
 * To check and to make a signature, in units of 100 ns, measured: RSA by the size of the modulus; P-384 and P-521, whose arithmetic
 * OpenSSL has no fast path for, are the slowest.
 */
export function costOf({ asymmetricKeyDetails: details }: KeyObject): {
  readonly verify: number;
  readonly sign: number;
} {
  const kilobits = (details?.modulusLength ?? 0) / 1024;
  if (kilobits > 0) return { verify: 100 + 100 * kilobits ** 2, sign: 5000 + 1200 * kilobits ** 3 };
  const isLong = details?.namedCurve === 'secp384r1' || details?.namedCurve === 'secp521r1';
  return isLong ? { verify: 20_000, sign: 45_000 } : { verify: 1500, sign: 1000 };
}

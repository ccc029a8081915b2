import { createPublicKey, type KeyObject } from 'node:crypto';
import type { RegoValue } from '../../values/rego-value.ts';
import { integerNumber } from '../time.ts';
import { membersOf, oidOf, type DerNode } from './der.ts';

/** Go's x509.PublicKeyAlgorithm, by object identifier. */
const ALGORITHMS: Readonly<Record<string, number>> = {
  '1.2.840.113549.1.1.1': 1,
  '1.2.840.10040.4.1': 2,
  '1.2.840.10045.2.1': 3,
  '1.3.101.112': 4,
};

export interface PublicKeyFields {
  readonly PublicKeyAlgorithm: number;
  readonly PublicKey: RegoValue;
}

/** A SubjectPublicKeyInfo as Go writes it in JSON; a key of an unknown algorithm is null. */
export function describePublicKey(node: DerNode): PublicKeyFields {
  const algorithm = ALGORITHMS[oidOf(membersOf(membersOf(node)[0])[0]).join('.')] ?? 0;
  return {
    PublicKeyAlgorithm: algorithm,
    PublicKey: [1, 3, 4].includes(algorithm) ? material(node.raw) : null,
  };
}

function material(der: Buffer): RegoValue {
  const key = readSpki(der);
  if (key === undefined) return null;
  const { n, e, x = '', y = '' } = key.export({ format: 'jwk' });
  if (n !== undefined)
    return new Map<RegoValue, RegoValue>([
      ['N', wholeNumber(n)],
      ['E', wholeNumber(e ?? '')],
    ]);
  if (key.asymmetricKeyType === 'ed25519') return Buffer.from(x, 'base64url').toString('base64');
  return new Map<RegoValue, RegoValue>([
    ['Curve', new Map()],
    ['X', wholeNumber(x)],
    ['Y', wholeNumber(y)],
  ]);
}

function readSpki(key: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

/** Of base64url. */
export function wholeNumber(digits: string): RegoValue {
  return integerNumber(BigInt(`0x${Buffer.from(digits, 'base64url').toString('hex') || '0'}`));
}

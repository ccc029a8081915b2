import { membersOf, oidOf, type DerNode } from './der.ts';

/** Go's x509.SignatureAlgorithm, by object identifier; those of RSA-PSS share one and differ in their parameters. */
const NUMBERS: Readonly<Record<string, number>> = {
  '1.2.840.113549.1.1.2': 1,
  '1.2.840.113549.1.1.4': 2,
  '1.2.840.113549.1.1.5': 3,
  '1.3.14.3.2.29': 3,
  '1.2.840.113549.1.1.11': 4,
  '1.2.840.113549.1.1.12': 5,
  '1.2.840.113549.1.1.13': 6,
  '1.2.840.10040.4.3': 7,
  '2.16.840.1.101.3.4.3.2': 8,
  '1.2.840.10045.4.1': 9,
  '1.2.840.10045.4.3.2': 10,
  '1.2.840.10045.4.3.3': 11,
  '1.2.840.10045.4.3.4': 12,
  '1.3.101.112': 16,
};
const PSS = '1.2.840.113549.1.1.10';
const PSS_HASHES: Readonly<Record<string, number>> = {
  '2.16.840.1.101.3.4.2.1': 13,
  '2.16.840.1.101.3.4.2.2': 14,
  '2.16.840.1.101.3.4.2.3': 15,
};
/** MD5 and SHA-1 prove nothing any more; DSA and unknown ones are not checked. */
const SAFE = new Set([4, 5, 6, 10, 11, 12, 13, 14, 15, 16]);

export function signatureAlgorithm(node: DerNode | undefined): number {
  const [type, parameters] = membersOf(node);
  const oid = oidOf(type).join('.');
  if (oid !== PSS) return NUMBERS[oid] ?? 0;
  const hash = membersOf(parameters).find(({ tag }) => tag === 0xa0);
  const [algorithm] = hash === undefined ? [] : membersOf({ ...hash, tag: 0x30 });
  return algorithm === undefined ? 0 : (PSS_HASHES[oidOf(membersOf(algorithm)[0]).join('.')] ?? 0);
}

export function isSafeAlgorithm(number: number): boolean {
  return SAFE.has(number);
}

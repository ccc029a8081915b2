import { isIP } from 'node:net';
import { X509Certificate } from 'node:crypto';
import type { RegoArray, RegoValue } from '../../values/rego-value.ts';
import { BuiltinLimit } from '../builtin.ts';
import type { Charge } from '../charge.ts';
import { costOf, isBounded } from '../jwt/algorithms.ts';
import type { Certificate } from './certificate.ts';
import { isSafeAlgorithm } from './signature-algorithm.ts';

export interface ChainOptions {
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  /** Name that the leaf must be for; empty for any. */
  readonly name: string;
  /** Go's x509.ExtKeyUsage; one of them must be allowed by the whole chain. */
  readonly usages: readonly number[];
}

const MAX_LENGTH = 10;
const ANY_USAGE = 0;
const CERT_SIGN = 1 << 5;
/** To read two certificates. */
const COST = 2000;
const CONSTRAINED =
  'PermittedDNSDomains ExcludedDNSDomains PermittedIPRanges ExcludedIPRanges PermittedEmailAddresses ExcludedEmailAddresses PermittedURIDomains ExcludedURIDomains'.split(
    ' ',
  );

/**
 * The chain from the last certificate over the ones between to the first, which is trusted; undefined when there is none. Constraints on
 * names are not worked out: a certificate with any is trusted to issue none.
 */
export function verifyChain(
  certificates: readonly Certificate[],
  options: ChainOptions,
  charge: Charge,
): readonly Certificate[] | undefined {
  const [root, leaf] = [certificates[0], certificates.at(-1)];
  if (root === undefined || leaf === undefined || certificates.length < 2) return undefined;
  if (!isCurrent(leaf, options.time) || !isFor(leaf, options.name)) return undefined;
  const isAcceptable = (chain: readonly Certificate[]): boolean => allows(chain, options.usages);
  if (leaf.der.equals(root.der)) return isAcceptable([leaf]) ? [leaf] : undefined;
  const between = certificates.slice(1, -1);
  const extend = (chain: readonly Certificate[]): readonly Certificate[] | undefined => {
    const child = chain.at(-1) as Certificate;
    if (chain.length >= MAX_LENGTH) return undefined;
    for (const parent of [root, ...between]) {
      if (chain.some(({ der }) => der.equals(parent.der))) continue;
      if (!mayIssue(parent, chain.length - 1, options.time) || !hasSigned(parent, child, charge)) continue;
      const longer = [...chain, parent];
      const found = parent === root ? [longer].find(isAcceptable) : extend(longer);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return extend([leaf]);
}

function isCurrent({ notBefore, notAfter, members }: Certificate, time: bigint): boolean {
  return time >= notBefore && time <= notAfter && members.get('UnhandledCriticalExtensions') === null;
}

function mayIssue(certificate: Certificate, below: number, time: bigint): boolean {
  const { members } = certificate;
  const [usage, most] = [Number(members.get('KeyUsage')), Number(members.get('MaxPathLen'))];
  return (
    isCurrent(certificate, time) &&
    members.get('IsCA') === true &&
    (usage === 0 || (usage & CERT_SIGN) !== 0) &&
    (most < 0 || below <= most) &&
    CONSTRAINED.every((name) => members.get(name) === null)
  );
}

function hasSigned(parent: Certificate, child: Certificate, charge: Charge): boolean {
  if (!parent.subject.equals(child.issuer)) return false;
  if (!isSafeAlgorithm(Number(child.members.get('SignatureAlgorithm')))) return false;
  charge(COST);
  try {
    const key = new X509Certificate(parent.der).publicKey;
    if (!isBounded(key)) return false;
    charge(costOf(key).verify);
    return new X509Certificate(child.der).verify(key);
  } catch (error) {
    if (error instanceof BuiltinLimit) throw error;
    return false;
  }
}

/** Whether one of the usages is among those of every certificate that names any. */
function allows(chain: readonly Certificate[], usages: readonly number[]): boolean {
  if (usages.includes(ANY_USAGE)) return true;
  return usages.some((usage) =>
    chain.every(({ members }) => {
      const known = (members.get('ExtKeyUsage') ?? []) as RegoArray;
      const isOpen = known.length === 0 && members.get('UnknownExtKeyUsage') === null;
      return isOpen || known.includes(ANY_USAGE) || known.includes(usage);
    }),
  );
}

function isFor({ members }: Certificate, name: string): boolean {
  if (name === '') return true;
  const bare = name.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0) return listOf(members.get('IPAddresses')).includes(bare);
  const labels = name.toLowerCase().replace(/\.$/, '').split('.');
  return listOf(members.get('DNSNames')).some((pattern) => {
    const wanted = pattern.toLowerCase().split('.');
    return (
      wanted.length === labels.length &&
      wanted.every(
        (label, index) => label === labels[index] || (label === '*' && index === 0 && wanted.length > 1),
      )
    );
  });
}

function listOf(value: RegoValue | undefined): readonly string[] {
  return (value ?? []) as readonly string[];
}

import type { RegoObject, RegoValue } from '../../values/rego-value.ts';
import { integerOf, isRegoNumber, RegoSet } from '../../values/rego-value.ts';
import { decodeBase64 } from '../base64.ts';
import { BuiltinFailure, type Builtin } from '../builtin.ts';
import type { Charge } from '../charge.ts';
import { fail, object, text } from '../operands.ts';
import { decodePem } from '../pem.ts';
import { readCertificates, type Certificate } from './certificate.ts';
import { readCertificateRequest } from './certificate-request.ts';
import { KEYS } from './keys.ts';
import { verifyChain, type ChainOptions } from './verify-chain.ts';

const NONE: RegoValue = [false, []];
const SERVER_AUTH = 1;

export const X509: Readonly<Record<string, Builtin>> = {
  ...KEYS,
  'crypto.x509.parse_certificate_request': (args, { charge }) =>
    readCertificateRequest(text(args, 0), charge),
  'crypto.x509.parse_certificates': (args, { charge }) =>
    certificatesOf(text(args, 0), charge).map(({ members }) => members),
  'crypto.x509.parse_and_verify_certificates': (args, { charge, now }) => {
    const chain = verified(text(args, 0), { time: now, name: '', usages: [SERVER_AUTH] }, charge);
    return chain === undefined ? NONE : [true, chain.map(({ members }) => members)];
  },
  'crypto.x509.parse_and_verify_certificates_with_options': (args, { charge, now }) => {
    const chain = verified(text(args, 0), readOptions(object(args, 1), now), charge);
    if (chain === undefined) return NONE;
    // Without what OPA adds to Go's certificates in the other two.
    return [
      true,
      chain.map(({ members }) => new Map([...members].filter(([name]) => name !== 'URIStrings'))),
    ];
  },
};

function verified(source: string, options: ChainOptions, charge: Charge): readonly Certificate[] | undefined {
  try {
    return verifyChain(certificatesOf(source, charge), options, charge);
  } catch (error) {
    if (error instanceof BuiltinFailure) return undefined;
    throw error;
  }
}

/** PEM, base64 of PEM, or base64 of DER. */
export function certificatesOf(source: string, charge: Charge): readonly Certificate[] {
  charge(1 + (source.length >> 3));
  if (source.startsWith('-----BEGIN')) return ofPem(source, charge);
  const bytes = decodeBase64(source) ?? fail('illegal base64 data');
  const inner = bytes.toString('latin1');
  return inner.startsWith('-----BEGIN') ? ofPem(inner, charge) : readCertificates(bytes, charge);
}

function ofPem(source: string, charge: Charge): readonly Certificate[] {
  const found: Certificate[] = [];
  for (let block = decodePem(source, charge); block !== undefined; block = decodePem(block.rest, charge)) {
    if (block.label !== 'CERTIFICATE') return fail('PEM block type is not CERTIFICATE');
    found.push(...readCertificates(block.bytes, charge));
  }
  return found;
}

const USAGES = [
  'KeyUsageAny',
  'KeyUsageServerAuth',
  'KeyUsageClientAuth',
  'KeyUsageCodeSigning',
  'KeyUsageEmailProtection',
  'KeyUsageIPSECEndSystem',
  'KeyUsageIPSECTunnel',
  'KeyUsageIPSECUser',
  'KeyUsageTimeStamping',
  'KeyUsageOCSPSigning',
  'KeyUsageMicrosoftServerGatedCrypto',
  'KeyUsageNetscapeServerGatedCrypto',
  'KeyUsageMicrosoftCommercialCodeSigning',
  'KeyUsageMicrosoftKernelCodeSigning',
];
const OPTIONS = new Set(['DNSName', 'CurrentTime', 'MaxConstraintComparisons', 'KeyUsages']);

function readOptions(given: RegoObject, now: bigint): ChainOptions {
  for (const name of given.keys()) {
    if (typeof name === 'string' && !OPTIONS.has(name)) return fail('invalid key option');
  }
  const name = given.has('DNSName') ? given.get('DNSName') : '';
  if (typeof name !== 'string') return fail("'DNSName' should be a string");
  const usages = given.has('KeyUsages') ? usagesOf(given.get('KeyUsages')) : [];
  return { time: timeOf(given, now), name, usages: usages.length === 0 ? [SERVER_AUTH] : usages };
}

function timeOf(given: RegoObject, now: bigint): bigint {
  if (!given.has('CurrentTime')) return now;
  const time = given.get('CurrentTime');
  const exact = time !== undefined && isRegoNumber(time) ? integerOf(time) : undefined;
  return exact ?? fail("'CurrentTime' should be a valid int64 number");
}

function usagesOf(value: RegoValue | undefined): readonly number[] {
  const items = value instanceof RegoSet ? value.members : value;
  if (!Array.isArray(items)) return fail("'KeyUsages' should be an Array or Set");
  return items.map((item) => {
    const usage = USAGES.indexOf(item as string);
    return usage >= 0 ? usage : fail("invalid entries for 'KeyUsages' found");
  });
}

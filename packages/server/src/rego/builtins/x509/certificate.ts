import type { RegoObject, RegoValue } from '../../values/rego-value.ts';
import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import { formatTime } from '../time-layout.ts';
import { integerNumber } from '../time.ts';
import { toZone } from '../zoned-time.ts';
import { bitsOfDer, integerOfDer, membersOf, oneOf, readDer, timeOfDer } from './der.ts';
import { readName } from './distinguished-name.ts';
import { describeExtension, readExtension, readExtensions, type Extension } from './extensions.ts';
import { describePublicKey } from './public-key.ts';
import { signatureAlgorithm } from './signature-algorithm.ts';

export interface Certificate {
  readonly der: Buffer;
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly notBefore: bigint;
  readonly notAfter: bigint;
  /** As Go's x509.Certificate is written in JSON. */
  readonly members: RegoObject;
}

const LARGEST = 64 * 1024;
/** To read a certificate: the key in it, mostly. */
const COST = 4000;

/** What a certificate has that no extension tells of. */
const ABSENT: readonly string[] =
  'ExtraExtensions UnhandledCriticalExtensions ExtKeyUsage UnknownExtKeyUsage SubjectKeyId AuthorityKeyId OCSPServer IssuingCertificateURL DNSNames EmailAddresses IPAddresses URIs URIStrings PermittedDNSDomains ExcludedDNSDomains PermittedIPRanges ExcludedIPRanges PermittedEmailAddresses ExcludedEmailAddresses PermittedURIDomains ExcludedURIDomains CRLDistributionPoints PolicyIdentifiers Policies PolicyMappings'.split(
    ' ',
  );
const FALSE: readonly string[] =
  'BasicConstraintsValid IsCA MaxPathLenZero PermittedDNSDomainsCritical InhibitAnyPolicyZero InhibitPolicyMappingZero RequireExplicitPolicyZero'.split(
    ' ',
  );
const ZERO: readonly string[] =
  'KeyUsage MaxPathLen InhibitAnyPolicy InhibitPolicyMapping RequireExplicitPolicy'.split(' ');
const NAME_CONSTRAINTS = '2.5.29.30';

/** Certificates of DER, one behind another. */
export function readCertificates(der: Buffer, charge: Charge): readonly Certificate[] {
  return readDer(der).map(({ raw }) => {
    charge(COST + raw.length);
    return raw.length > LARGEST ? fail('x509: a certificate is too large') : readCertificate(raw);
  });
}

function readCertificate(der: Buffer): Certificate {
  const [tbs, algorithm, signature] = membersOf(oneOf(der));
  const parts = [...membersOf(tbs)];
  const version = parts[0]?.tag === 0xa0 ? Number(integerOfDer(oneOf(parts.shift()?.content ?? der))) + 1 : 1;
  const [serial, , issuer, validity, subject, key] = parts;
  if (issuer === undefined || subject === undefined || key === undefined)
    return fail('x509: malformed certificate');
  const [start, end] = membersOf(validity);
  const [notBefore, notAfter] = [timeOfDer(start), timeOfDer(end)];
  const list = parts.find(({ tag }) => tag === 0xa3);
  const extensions = list === undefined ? [] : readExtensions(oneOf(list.content));
  const members = new Map<RegoValue, RegoValue>([
    ...pairs(ABSENT, null),
    ...pairs(FALSE, false),
    ...pairs(ZERO, 0),
    ['Raw', base64(der)],
    ['RawTBSCertificate', base64(tbs?.raw)],
    ['RawSubjectPublicKeyInfo', base64(key.raw)],
    ['RawSubject', base64(subject.raw)],
    ['RawIssuer', base64(issuer.raw)],
    ['Signature', base64(bitsOfDer(signature))],
    ['SignatureAlgorithm', signatureAlgorithm(algorithm)],
    ['Version', version],
    ['SerialNumber', integerNumber(integerOfDer(serial))],
    ['Issuer', readName(issuer)],
    ['Subject', readName(subject)],
    ['NotBefore', formatTime(toZone(notBefore, 'UTC'), 'RFC3339')],
    ['NotAfter', formatTime(toZone(notAfter, 'UTC'), 'RFC3339')],
    ...Object.entries(describePublicKey(key)),
    ['Extensions', extensions.length === 0 ? null : extensions.map(describeExtension)],
    ...extensions.flatMap((extension) => Object.entries(readExtension(extension) ?? {})),
    ...unhandled(extensions),
  ]);
  return { der, subject: subject.raw, issuer: issuer.raw, notBefore, notAfter, members };
}

function unhandled(extensions: readonly Extension[]): readonly (readonly [string, RegoValue])[] {
  const critical = extensions.filter(({ isCritical }) => isCritical);
  const unknown = critical
    .filter((extension) => readExtension(extension) === undefined)
    .map(({ oid }) => oid);
  const isNamed = critical.some(({ oid }) => oid.join('.') === NAME_CONSTRAINTS);
  return [
    ...(unknown.length === 0 ? [] : [['UnhandledCriticalExtensions', unknown] as const]),
    ...(isNamed ? [['PermittedDNSDomainsCritical', true] as const] : []),
  ];
}

function pairs(names: readonly string[], value: RegoValue): readonly (readonly [string, RegoValue])[] {
  return names.map((name) => [name, value] as const);
}

function base64(bytes: Buffer | undefined): string {
  return bytes?.toString('base64') ?? '';
}

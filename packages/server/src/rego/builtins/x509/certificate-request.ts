import type { RegoValue } from '../../values/rego-value.ts';
import { decodeBase64 } from '../base64.ts';
import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import { decodePem } from '../pem.ts';
import { bitsOfDer, integerOfDer, membersOf, oidOf, oneOf, readDer, TAG, type DerNode } from './der.ts';
import { readName } from './distinguished-name.ts';
import { describeExtension, readExtension, readExtensions, type Extension } from './extensions.ts';
import { describePublicKey } from './public-key.ts';
import { signatureAlgorithm } from './signature-algorithm.ts';

const COST = 4000;
const LARGEST = 64 * 1024;
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const NAMES = ['DNSNames', 'EmailAddresses', 'IPAddresses', 'URIs'];

/** A request in PEM or in base64 of PEM or DER (RFC 2986), as Go's x509.CertificateRequest is written in JSON. */
export function readCertificateRequest(source: string, charge: Charge): RegoValue {
  charge(COST + (source.length >> 3));
  const der = oneOf(derOf(source, charge));
  if (der.raw.length > LARGEST) return fail('a certificate request is too large');
  const [info, algorithm, signature] = membersOf(der);
  const [version, subject, key, attributes] = membersOf(info);
  if (subject === undefined || key === undefined) return fail('asn1: structure error');
  const wanted = attributes === undefined ? [] : readDer(attributes.content);
  const extensions = wanted.flatMap(extensionsOf);
  const names = extensions.flatMap((extension) => Object.entries(readExtension(extension) ?? {}));
  return new Map<RegoValue, RegoValue>([
    ['Raw', der.raw.toString('base64')],
    ['RawTBSCertificateRequest', info?.raw.toString('base64') ?? ''],
    ['RawSubjectPublicKeyInfo', key.raw.toString('base64')],
    ['RawSubject', subject.raw.toString('base64')],
    ['Version', Number(integerOfDer(version))],
    ['Signature', bitsOfDer(signature).toString('base64')],
    ['SignatureAlgorithm', signatureAlgorithm(algorithm)],
    ...Object.entries(describePublicKey(key)),
    ['Subject', readName(subject)],
    ['Attributes', describeAttributes(wanted)],
    ['Extensions', extensions.length === 0 ? null : extensions.map(describeExtension)],
    ['ExtraExtensions', null],
    ...NAMES.map((name): [string, RegoValue] => [name, null]),
    ...names.filter(([name]) => NAMES.includes(name)),
  ]);
}

function derOf(source: string, charge: Charge): Buffer {
  const isPem = source.startsWith('-----BEGIN CERTIFICATE REQUEST-----');
  const bytes = isPem ? Buffer.from(source) : (decodeBase64(source) ?? fail('illegal base64 data'));
  const block = decodePem(bytes.toString('latin1'), charge);
  if (block === undefined) return bytes;
  return block.label === 'CERTIFICATE REQUEST'
    ? block.bytes
    : fail('invalid PEM-encoded certificate signing request');
}

function extensionsOf(attribute: DerNode): readonly Extension[] {
  const [type, values] = membersOf(attribute);
  if (oidOf(type).join('.') !== EXTENSION_REQUEST) return [];
  return membersOf(values, TAG.set).flatMap((list) => readExtensions(list));
}

/** Go reads extensions as pairs of a type and a value, and leaves out attributes that it cannot read so. */
function describeAttributes(attributes: readonly DerNode[]): RegoValue {
  const described = attributes.flatMap((attribute) => {
    const extensions = extensionsOf(attribute);
    if (extensions.length === 0 || extensions.some(({ isCritical }) => isCritical)) return [];
    const pairs = extensions.map(
      ({ oid, value }) =>
        new Map<RegoValue, RegoValue>([
          ['Type', oid],
          ['Value', value.toString('base64')],
        ]),
    );
    const [type] = membersOf(attribute);
    return [
      new Map<RegoValue, RegoValue>([
        ['Type', oidOf(type)],
        ['Value', [pairs]],
      ]),
    ];
  });
  return described.length === 0 ? null : described;
}

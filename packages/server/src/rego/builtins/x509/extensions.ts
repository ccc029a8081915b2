import type { RegoValue } from '../../values/rego-value.ts';
import { formatAddress } from '../network.ts';
import { fail } from '../operands.ts';
import { bitsOfDer, integerOfDer, membersOf, oidOf, oneOf, readDer, TAG, type DerNode } from './der.ts';

export interface Extension {
  readonly oid: readonly number[];
  readonly isCritical: boolean;
  readonly value: Buffer;
}

export function readExtensions(node: DerNode | undefined): readonly Extension[] {
  return membersOf(node).map((item) => {
    const [oid, ...rest] = membersOf(item);
    const [value, critical] = [rest.at(-1), rest.length > 1 ? rest[0] : undefined];
    if (value?.tag !== TAG.octets) return fail('x509: malformed extension');
    return { oid: oidOf(oid), isCritical: critical?.content[0] === 0xff, value: value.content };
  });
}

export function describeExtension({ oid, isCritical, value }: Extension): RegoValue {
  return new Map<RegoValue, RegoValue>([
    ['Id', oid],
    ['Critical', isCritical],
    ['Value', value.toString('base64')],
  ]);
}

type Fields = Readonly<Record<string, RegoValue>>;
type Reader = (value: DerNode) => Fields;

/** By object identifier: members of Go's x509.Certificate that an extension fills. */
const READERS: Readonly<Record<string, Reader>> = {
  '2.5.29.15': (node) => ({ KeyUsage: keyUsage(bitsOfDer(node)) }),
  '2.5.29.19': basicConstraints,
  '2.5.29.17': (node) =>
    generalNames(readMembers(node), ['EmailAddresses', 'DNSNames', 'URIs', 'IPAddresses']),
  '2.5.29.30': nameConstraints,
  '2.5.29.14': (node) => ({ SubjectKeyId: node.content.toString('base64') }),
  '2.5.29.35': (node) => {
    const id = readMembers(node).find(({ tag }) => tag === 0x80);
    return id === undefined ? {} : { AuthorityKeyId: id.content.toString('base64') };
  },
  '2.5.29.37': extendedKeyUsage,
  '2.5.29.32': (node) => {
    const policies = readMembers(node).map((item) => oidOf(membersOf(item)[0]));
    return { PolicyIdentifiers: policies, Policies: policies.map((oid) => oid.join('.')) };
  },
  '2.5.29.31': (node) => ({ CRLDistributionPoints: orNull(readMembers(node).flatMap(distributionPoint)) }),
  '1.3.6.1.5.5.7.1.1': authorityAccess,
};

/** What an extension tells; undefined for one that is unknown here. */
export function readExtension({ oid, value }: Extension): Fields | undefined {
  return READERS[oid.join('.')]?.(oneOf(value));
}

function readMembers(node: DerNode): readonly DerNode[] {
  return membersOf(node);
}

function orNull(values: readonly RegoValue[]): RegoValue {
  return values.length === 0 ? null : values;
}

function keyUsage(bits: Buffer): number {
  let usage = 0;
  for (let bit = 0; bit < 9; bit++) {
    if (((bits[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0) usage |= 1 << bit;
  }
  return usage;
}

function basicConstraints(node: DerNode): Fields {
  const members = readMembers(node);
  const length = members.find(({ tag }) => tag === TAG.integer);
  const most = length === undefined ? -1 : Number(integerOfDer(length));
  const isCA = members[0]?.tag === TAG.boolean && members[0].content[0] === 0xff;
  return { BasicConstraintsValid: true, IsCA: isCA, MaxPathLen: most, MaxPathLenZero: most === 0 };
}

/** Texts of the kinds 1 (email), 2 (DNS), 6 (URI) and 7 (address). */
function generalNames(nodes: readonly DerNode[], [email, dns, uri, address]: readonly string[]): Fields {
  const ofKind = (kind: number): readonly DerNode[] =>
    nodes.filter(({ tag }) => (tag & 0x1f) === kind && tag >= 0x80);
  const texts = (kind: number): readonly string[] => ofKind(kind).map(({ content }) => content.toString());
  return {
    [email ?? '']: orNull(texts(1)),
    [dns ?? '']: orNull(texts(2)),
    [uri ?? '']: orNull(uri === 'URIs' ? texts(6).map(describeUrl) : texts(6)),
    [address ?? '']: orNull(
      ofKind(7).map(({ content }) => (address === 'IPAddresses' ? ip(content) : range(content))),
    ),
    ...(uri === 'URIs' ? { URIStrings: orNull(texts(6)) } : {}),
  };
}

function ip(bytes: Buffer): string {
  if (bytes.length !== 4 && bytes.length !== 16) return fail('x509: cannot parse IP address');
  return formatAddress(BigInt(`0x${bytes.toString('hex')}`), bytes.length * 8);
}

function range(bytes: Buffer): RegoValue {
  const half = bytes.length / 2;
  return new Map<RegoValue, RegoValue>([
    ['IP', ip(bytes.subarray(0, half))],
    ['Mask', bytes.subarray(half).toString('base64')],
  ]);
}

function nameConstraints(node: DerNode): Fields {
  const [permitted, excluded] = [0xa0, 0xa1].map((wanted) => {
    const trees = readMembers(node).find(({ tag }) => tag === wanted);
    return trees === undefined ? [] : readDer(trees.content).flatMap((tree) => membersOf(tree).slice(0, 1));
  });
  const names = (kind: string): readonly string[] =>
    ['EmailAddresses', 'DNSDomains', 'URIDomains', 'IPRanges'].map((name) => `${kind}${name}`);
  return {
    ...generalNames(permitted ?? [], names('Permitted')),
    ...generalNames(excluded ?? [], names('Excluded')),
  };
}

/** Go's x509.ExtKeyUsage, by their object identifiers. */
const USAGES = [
  '2.5.29.37.0',
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((purpose) => `1.3.6.1.5.5.7.3.${purpose}`),
  '1.3.6.1.4.1.311.10.3.3',
  '2.16.840.1.113730.4.1',
  '1.3.6.1.4.1.311.2.1.22',
  '1.3.6.1.4.1.311.61.1.1',
];

function extendedKeyUsage(node: DerNode): Fields {
  const oids = readMembers(node).map(oidOf);
  const known = oids.map((oid) => USAGES.indexOf(oid.join('.')));
  return {
    ExtKeyUsage: orNull(known.filter((usage) => usage >= 0)),
    UnknownExtKeyUsage: orNull(oids.filter((_, index) => (known[index] ?? -1) < 0)),
  };
}

function distributionPoint(node: DerNode): readonly string[] {
  const name = readMembers(node).find(({ tag }) => tag === 0xa0);
  const full = name === undefined ? undefined : readDer(name.content).find(({ tag }) => tag === 0xa0);
  if (full === undefined) return [];
  return readDer(full.content)
    .filter(({ tag }) => tag === 0x86)
    .map(({ content }) => content.toString());
}

function authorityAccess(node: DerNode): Fields {
  const of = (method: string): RegoValue =>
    orNull(
      readMembers(node).flatMap((item) => {
        const [oid, place] = membersOf(item);
        const isWanted = oidOf(oid).join('.') === `1.3.6.1.5.5.7.48.${method}` && place?.tag === 0x86;
        return isWanted ? [place.content.toString()] : [];
      }),
    );
  return { OCSPServer: of('1'), IssuingCertificateURL: of('2') };
}

/** As Go's url.URL is written in JSON. */
function describeUrl(text: string): RegoValue {
  const found = /^([a-z][\w+.-]*):(?:\/\/([^/?#]*)([^?#]*)|([^?#]*))(?:\?([^#]*))?(?:#(.*))?$/is.exec(text);
  const [, scheme = '', host = '', path = '', opaque = '', query = '', fragment = ''] = found ?? [];
  return new Map<RegoValue, RegoValue>([
    ['Scheme', scheme.toLowerCase()],
    ['Opaque', opaque],
    ['User', null],
    ['Host', host],
    ['Path', path],
    ['Fragment', fragment],
    ['RawQuery', query],
    ['RawPath', ''],
    ['RawFragment', ''],
    ['ForceQuery', false],
    ['OmitHost', false],
  ]);
}

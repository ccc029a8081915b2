import type { RegoValue } from '../../values/rego-value.ts';
import { decodeBase64 } from '../base64.ts';
import type { Builtin } from '../builtin.ts';
import type { Charge } from '../charge.ts';
import { fail, text } from '../operands.ts';
import { decodePem } from '../pem.ts';
import { readCertificates } from './certificate.ts';
import {
  describePrivateKey,
  describeWebKey,
  publicPartOf,
  readPrivateKey,
  readPrivateKeys,
} from './private-keys.ts';

export const KEYS: Readonly<Record<string, Builtin>> = {
  'crypto.parse_private_keys': (args, { charge }) => {
    const source = text(args, 0);
    return source === '' ? null : readPrivateKeys(source, charge).map(describePrivateKey);
  },
  'crypto.x509.parse_rsa_private_key': (args, { charge }) => {
    const [key] = readPrivateKeys(pemOf(text(args, 0)), charge);
    return key === undefined ? null : describeWebKey(key);
  },
  'crypto.x509.parse_keypair': (args, { charge }) => keyPair(text(args, 0), text(args, 1), charge),
};

const BEGIN = '-----BEGIN ';

function pemOf(source: string): string {
  if (source === '') return fail('input PEM data was empty');
  if (source.startsWith(BEGIN)) return source;
  return decodeBase64(source)?.toString('latin1') ?? fail('illegal base64 data');
}

/** Certificates and the key of the first, as Go's tls.Certificate is written in JSON. */
function keyPair(certificates: string, key: string, charge: Charge): RegoValue {
  const chain = blocksOf(certificates, charge).filter(({ label }) => label === 'CERTIFICATE');
  const [first] = chain;
  if (first === undefined) return fail('tls: failed to find any PEM data in certificate input');
  const [leaf] = readCertificates(first.bytes, charge);
  const [found] = key.startsWith(BEGIN) ? readPrivateKeys(key, charge) : ofDer(pemOf(key), charge);
  if (leaf === undefined || found === undefined) return fail('tls: failed to find a private key');
  if (leaf.members.get('RawSubjectPublicKeyInfo') !== publicPartOf(found).toString('base64')) {
    return fail('tls: private key does not match public key');
  }
  const { members } = leaf;
  return new Map<RegoValue, RegoValue>([
    ['Certificate', chain.map(({ bytes }) => bytes.toString('base64'))],
    ['PrivateKey', describePrivateKey(found)],
    ['SupportedSignatureAlgorithms', null],
    ['OCSPStaple', null],
    ['SignedCertificateTimestamps', null],
    ['Leaf', new Map([...members].filter(([name]) => name !== 'URIStrings'))],
  ]);
}

function ofDer(decoded: string, charge: Charge): ReturnType<typeof readPrivateKeys> {
  if (decoded.startsWith(BEGIN)) return readPrivateKeys(decoded, charge);
  return [readPrivateKey(Buffer.from(decoded, 'latin1'), 'pkcs8', charge)];
}

function blocksOf(
  source: string,
  charge: Charge,
): readonly { readonly label: string; readonly bytes: Buffer }[] {
  const decoded = pemOf(source);
  if (!decoded.startsWith(BEGIN)) return [{ label: 'CERTIFICATE', bytes: Buffer.from(decoded, 'latin1') }];
  const blocks = [];
  for (let block = decodePem(decoded, charge); block !== undefined; block = decodePem(block.rest, charge)) {
    blocks.push(block);
  }
  return blocks;
}

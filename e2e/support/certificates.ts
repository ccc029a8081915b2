// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs the polyfill and takes it from the global
import 'reflect-metadata';
import { randomBytes, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR_MS = 60 * 60 * 1000;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

export interface Validity {
  /** Default: one hour ago, so that clocks may differ. */
  readonly notBefore?: Date;
  /** Default: 24 hours from now. */
  readonly notAfter?: Date;
}

/** A certificate authority: a root, or an intermediate when it has a parent. */
export interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
  /** The authority's own certificate. A root's is what clients trust. */
  readonly pem: string;
  /** What a server has to send after its own certificate: the intermediates up to the root, without it. */
  readonly chainPem: string;
}

/** A leaf certificate with its key, ready for `tls.createServer`. */
export interface Identity {
  /** The leaf, then the intermediates. */
  readonly certificatePem: string;
  /** PKCS #8, unencrypted. */
  readonly keyPem: string;
  /** Hexadecimal, as `tls.PeerCertificate.serialNumber` has it in upper case. */
  readonly serialNumber: string;
  readonly notAfter: Date;
}

export interface AuthorityOptions extends Validity {
  /** Common name; default `portcullis e2e`. */
  readonly name?: string;
  /** Makes an intermediate that this authority signs. */
  readonly parent?: Authority;
}

export interface ServerCertificateOptions extends Validity {
  /** Default `localhost`. */
  readonly dnsNames?: readonly string[];
  /** Default `127.0.0.1`. */
  readonly ipAddresses?: readonly string[];
}

export interface ClientCertificateOptions extends Validity {
  /** Kubernetes reads the user name here. */
  readonly commonName: string;
  /** Kubernetes reads the groups here. */
  readonly organizations?: readonly string[];
}

/** Makes an ECDSA P-256 authority. */
export async function createAuthority(options: AuthorityOptions = {}): Promise<Authority> {
  const { parent } = options;
  const keys = await generateKeys();
  const subject = new x509.Name([{ CN: [options.name ?? 'portcullis e2e'] }]).toString();
  const certificate = await x509.X509CertificateGenerator.create({
    ...common(options),
    subject,
    issuer: parent?.certificate.subject ?? subject,
    publicKey: keys.publicKey,
    signingKey: parent?.keys.privateKey ?? keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ...(await identifiers(keys, parent)),
    ],
  });
  const pem = pemLines(certificate);
  return { certificate, keys, pem, chainPem: parent === undefined ? '' : pem + parent.chainPem };
}

/** Signs a server certificate, by default for 127.0.0.1 and localhost. */
export async function issueServerCertificate(
  authority: Authority,
  options: ServerCertificateOptions = {},
): Promise<Identity> {
  const dnsNames = options.dnsNames ?? ['localhost'];
  const names = [
    ...dnsNames.map((value) => ({ type: 'dns', value }) as const),
    ...(options.ipAddresses ?? ['127.0.0.1']).map((value) => ({ type: 'ip', value }) as const),
  ];
  return issue(
    authority,
    options,
    [{ CN: [dnsNames[0] ?? 'server'] }],
    [new x509.ExtendedKeyUsageExtension([SERVER_AUTH]), new x509.SubjectAlternativeNameExtension(names)],
  );
}

/** Signs a client certificate. */
export async function issueClientCertificate(
  authority: Authority,
  options: ClientCertificateOptions,
): Promise<Identity> {
  const subject = [
    { CN: [options.commonName] },
    ...(options.organizations ?? []).map((name) => ({ O: [name] })),
  ];
  return issue(authority, options, subject, [new x509.ExtendedKeyUsageExtension([CLIENT_AUTH])]);
}

async function issue(
  authority: Authority,
  validity: Validity,
  subject: x509.JsonName,
  extensions: readonly x509.Extension[],
): Promise<Identity> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    ...common(validity),
    subject: new x509.Name(subject).toString(),
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ...extensions,
      ...(await identifiers(keys, authority)),
    ],
  });
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificatePem: pemLines(certificate) + authority.chainPem,
    keyPem: `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n`,
    serialNumber: certificate.serialNumber,
    notAfter: certificate.notAfter,
  };
}

function common(
  validity: Validity,
): Pick<x509.X509CertificateCreateParams, 'serialNumber' | 'notBefore' | 'notAfter' | 'signingAlgorithm'> {
  // A serial number is positive: the top bit stays clear.
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8(0) & 0x3f) | 0x40, 0);
  return {
    serialNumber: serial.toString('hex'),
    notBefore: validity.notBefore ?? new Date(Date.now() - HOUR_MS),
    notAfter: validity.notAfter ?? new Date(Date.now() + 24 * HOUR_MS),
    signingAlgorithm: ALGORITHM,
  };
}

async function identifiers(
  keys: webcrypto.CryptoKeyPair,
  issuer: Authority | undefined,
): Promise<x509.Extension[]> {
  return [
    await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    await x509.AuthorityKeyIdentifierExtension.create(issuer?.keys.publicKey ?? keys.publicKey),
  ];
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
}

function pemLines(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { webcrypto } from 'node:crypto';

export interface Issued {
  readonly pem: string;
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface CertificateOptions {
  readonly name: string;
  /** Default: itself. */
  readonly issuer?: Issued;
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  /** Milliseconds from now. */
  readonly validFrom?: number;
  readonly validTo?: number;
  readonly extensions?: readonly x509.Extension[];
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;

export async function issueCertificate(options: CertificateOptions): Promise<Issued> {
  x509.cryptoProvider.set(crypto);
  const { name, issuer, isAuthority = false, pathLength, validFrom = -DAY, validTo = DAY } = options;
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer?.certificate.subject ?? `CN=${name}`,
    notBefore: new Date(now + validFrom),
    notAfter: new Date(now + validTo),
    publicKey: keys.publicKey,
    signingKey: issuer?.keys.privateKey ?? keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, pathLength, true),
      ...(options.extensions ?? []),
    ],
  });
  return { pem: certificate.toString('pem'), certificate, keys };
}

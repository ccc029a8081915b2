import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { webcrypto } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Pair {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface PairOptions {
  readonly name: string;
  readonly issuer?: Authority;
  readonly isAuthority?: boolean;
  /** Milliseconds from now. */
  readonly validFrom?: number;
  readonly validTo?: number;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;

/** A key and a certificate for `127.0.0.1`, self-signed without an issuer. */
export async function createPair(options: PairOptions): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex'),
    subject: `CN=${options.name}`,
    issuer: options.issuer?.certificate.subject ?? `CN=${options.name}`,
    notBefore: new Date(now + (options.validFrom ?? -DAY)),
    notAfter: new Date(now + (options.validTo ?? DAY)),
    publicKey: keys.publicKey,
    signingKey: options.issuer?.keys.privateKey ?? keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(options.isAuthority === true, undefined, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
    ],
  });
  const exported = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate,
    keys,
    cert: certificate.toString('pem'),
    key: x509.PemConverter.encode(exported, 'PRIVATE KEY'),
  };
}

const directories: string[] = [];

/** A folder of its own, removed when the tests of this process are over: what was started in it may write until then. */
export async function workDirectory(): Promise<string> {
  if (directories.length === 0) {
    process.once('exit', () => {
      for (const made of directories) rmSync(made, { recursive: true, force: true });
    });
  }
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-app-'));
  directories.push(directory);
  return directory;
}

/** Writes `tls.crt` and `tls.key`. */
export async function writePair(
  directory: string,
  pair: Pair,
): Promise<{ certFile: string; keyFile: string }> {
  const files = { certFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') };
  await writeFile(files.certFile, pair.cert);
  await writeFile(files.keyFile, pair.key);
  return files;
}

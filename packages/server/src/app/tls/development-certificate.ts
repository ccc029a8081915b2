import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { attempt } from '../../kernel/result.ts';
import { loadCertificate, type CertificateFiles } from './load-certificate.ts';
import type { Certificate } from './tls-material.ts';

const DAY = 86_400_000;
const LIFETIME = 365 * DAY;
/** One that ends sooner is made anew at start. */
const MARGIN = 30 * DAY;

export interface DevelopmentCertificate {
  readonly certificate: Certificate;
  readonly files: CertificateFiles & { readonly keyFile: string };
}

/** A self-signed certificate for this machine, kept in the data directory so that clients that trust it go on to. */
export async function developmentCertificate(
  dataDirectory: string,
  now: number,
): Promise<DevelopmentCertificate | Fault> {
  const files = {
    certFile: join(dataDirectory, 'tls.crt'),
    keyFile: join(dataDirectory, 'tls.key'),
  };
  const kept = await loadCertificate(files, now);
  if (!isFault(kept) && kept.notAfter - now > MARGIN) return { certificate: kept, files };
  const written = await attempt('PC_STORAGE', 'cannot keep the development certificate', async () => {
    const { cert, key } = await makeCertificate(now);
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    await writeFile(files.keyFile, key, { mode: 0o600 });
    await writeFile(files.certFile, cert);
  });
  if (isFault(written)) return written;
  const made = await loadCertificate(files, now);
  return isFault(made) ? made : { certificate: made, files };
}

async function makeCertificate(now: number): Promise<{ readonly cert: string; readonly key: string }> {
  // Only here: the library takes a while to load and production never needs it.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex'),
      name: 'CN=localhost, O=Portcullis development',
      // An hour of slack for clocks that are behind.
      notBefore: new Date(now - 3_600_000),
      notAfter: new Date(now + LIFETIME),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
          { type: 'ip', value: '::1' },
        ]),
      ],
    },
    crypto,
  );
  const exported = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  const body = Buffer.from(exported)
    .toString('base64')
    .replaceAll(/.{1,64}/g, '$&\n');
  return {
    cert: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${body}-----END PRIVATE KEY-----\n`,
  };
}

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { sha256 } from '../../kernel/digest.ts';
import { Fault, isFault } from '../../kernel/fault.ts';
import { attempt } from '../../kernel/result.ts';
import type { Certificate, TlsMaterial } from './tls-material.ts';

export interface CertificateFiles {
  /** Chain as PEM, leaf first; may hold the key too. */
  readonly certFile: string;
  readonly keyFile?: string | undefined;
  /** With the authorities of client certificates; each has to hold one. */
  readonly clientCaFiles?: readonly string[];
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\s\S]+?-----END (?:[A-Z]+ )?PRIVATE KEY-----/;

/** Reads and checks a pair. `now` is the wall clock. The faults name files, never contents. */
export async function loadCertificate(files: CertificateFiles, now: number): Promise<Certificate | Fault> {
  const keyFile = files.keyFile ?? files.certFile;
  const certText = await readPem(files.certFile);
  if (isFault(certText)) return certText;
  const keyText = await readPem(keyFile);
  if (isFault(keyText)) return keyText;
  const authorities = await readAuthorities(files.clientCaFiles ?? []);
  if (isFault(authorities)) return authorities;

  const chain = await parseChain(certText, files.certFile);
  if (isFault(chain)) return chain;
  const key = PRIVATE_KEY.exec(keyText)?.[0];
  if (key === undefined) return broken(`\`${keyFile}\` has no private key in PEM form`);
  const material: TlsMaterial = { cert: chain.join('\n'), key, ...authorities };
  const problem = checkChain(chain, files.certFile, now) ?? checkKey(chain, key, { ...files, keyFile });
  if (problem !== undefined) return problem;
  const usable = await attempt('PC_TLS_CERTIFICATE', `\`${files.certFile}\` cannot be used`, async () =>
    createSecureContext(material),
  );
  if (isFault(usable)) return usable;
  const notAfter = Math.min(...chain.map(({ validToDate }) => validToDate.getTime()));
  return { material, notAfter, fingerprint: sha256([certText, keyText, authorities.ca].join('\n')) };
}

type Chain = readonly X509Certificate[];

function readPem(file: string): Promise<string | Fault> {
  return attempt('PC_TLS_CERTIFICATE', `cannot read \`${file}\``, () => readFile(file, 'utf8'));
}

async function parseChain(text: string, file: string): Promise<Chain | Fault> {
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) return broken(`\`${file}\` has no certificate in PEM form`);
  return attempt('PC_TLS_CERTIFICATE', `\`${file}\` has a certificate that cannot be read`, async () =>
    blocks.map((block) => new X509Certificate(block)),
  );
}

/** Never an empty text: for TLS that is as good as none, and it would trust every public authority instead. */
async function readAuthorities(files: readonly string[]): Promise<Pick<TlsMaterial, 'ca'> | Fault> {
  const authorities: X509Certificate[] = [];
  for (const file of files) {
    const text = await readPem(file);
    const found = isFault(text) ? text : await parseChain(text, file);
    if (isFault(found)) return found;
    authorities.push(...found);
  }
  return files.length === 0 ? {} : { ca: authorities.join('\n') };
}

function checkChain(chain: Chain, file: string, now: number): Fault | undefined {
  for (const [index, certificate] of chain.entries()) {
    const which = `certificate ${index + 1} of \`${file}\``;
    if (certificate.validToDate.getTime() <= now) return broken(`${which} expired at ${certificate.validTo}`);
    if (certificate.validFromDate.getTime() > now) {
      return broken(`${which} is not valid before ${certificate.validFrom}`);
    }
    const issuer = chain[index + 1];
    if (issuer !== undefined && !certificate.checkIssued(issuer)) {
      return broken(
        `certificate ${index + 2} of \`${file}\` did not issue the one before it; order them leaf first`,
      );
    }
  }
  return undefined;
}

function checkKey(chain: Chain, key: string, files: CertificateFiles): Fault | undefined {
  try {
    if (chain[0]?.checkPrivateKey(createPrivateKey(key)) === true) return undefined;
  } catch {
    // The library's text may quote the input, so it is not passed on.
    return broken(
      `the private key in \`${files.keyFile}\` cannot be read; keys with a passphrase are not supported`,
    );
  }
  return broken(
    `the private key in \`${files.keyFile}\` does not belong to the first certificate of \`${files.certFile}\``,
  );
}

function broken(message: string): Fault {
  return new Fault('PC_TLS_CERTIFICATE', message);
}

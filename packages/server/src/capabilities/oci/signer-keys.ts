import type { KeyObject, X509Certificate } from 'node:crypto';
import { Fault, isFault } from '../../kernel/fault.ts';
import { isChained, isValidAt } from '../crypto/certificate-chain.ts';
import { readCertificate } from '../crypto/read-certificate.ts';
import { keyProblem, readPublicKey } from './signature-key.ts';
import type { Signer } from './verify-input.ts';

/** The keys that must have signed, once what vouches for them is checked. `at`: milliseconds since 1970. */
export function keysOfSigner(signer: Signer, at: number): readonly KeyObject[] | Fault {
  if (signer.by === 'keys') return readKeys(signer.keys);
  if (signer.by === 'certificate') return keyOfCertificate(signer, at);
  return new Fault(
    'PC_CAPABILITY_UNAVAILABLE',
    'signatures without keys cannot be verified: this server has no trust root of a Sigstore authority; sign with a key or a certificate',
  );
}

function readKeys(pems: readonly string[]): readonly KeyObject[] | Fault {
  // All of none would always have signed.
  if (pems.length === 0)
    return new Fault('PC_CAPABILITY_INPUT', '`pub_keys` is empty: nothing could be verified');
  const keys: KeyObject[] = [];
  for (const [index, pem] of pems.entries()) {
    const key = readPublicKey(pem, `\`pub_keys.${index}\``);
    if (isFault(key)) return key;
    keys.push(key);
  }
  return keys;
}

function keyOfCertificate(
  signer: Signer & { readonly by: 'certificate' },
  at: number,
): readonly KeyObject[] | Fault {
  if (signer.needsTransparencyLog) {
    return new Fault(
      'PC_CAPABILITY_UNAVAILABLE',
      '`require_rekor_bundle` cannot be kept: this server has no key of a transparency log',
    );
  }
  const certificate = readCertificate({ encoding: 'Pem', data: signer.certificate }, '`certificate`');
  if (isFault(certificate)) return certificate;
  const trusted = certificateProblem(certificate, signer.chain, at);
  if (trusted !== undefined) return trusted;
  const { publicKey } = certificate;
  const problem = keyProblem(publicKey);
  return problem === undefined ? [publicKey] : new Fault('PC_CAPABILITY_INPUT', `\`certificate\` ${problem}`);
}

/** Without a log nothing tells when a signature was made: the certificate has to be good now. */
function certificateProblem(
  certificate: X509Certificate,
  chain: readonly Uint8Array[] | undefined,
  at: number,
): Fault | undefined {
  const distrust = (why: string): Fault => new Fault('PC_CAPABILITY_UNTRUSTED', `\`certificate\` ${why}`);
  if (!isValidAt(certificate, at)) return distrust('is not valid at this time');
  if (chain === undefined) return undefined;
  const known: X509Certificate[] = [];
  for (const [index, data] of chain.entries()) {
    const one = readCertificate({ encoding: 'Pem', data }, `\`certificate_chain.${index}\``);
    if (isFault(one)) return one;
    known.push(one);
  }
  const question = { certificate, intermediates: known.slice(0, -1), anchors: known.slice(-1), at };
  return isChained(question) ? undefined : distrust('is not issued by `certificate_chain`');
}

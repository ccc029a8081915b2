import { X509Certificate } from 'node:crypto';
import { Fault } from '../../kernel/fault.ts';

export interface EncodedCertificate {
  readonly encoding: 'Pem' | 'Der';
  readonly data: Uint8Array;
}

/** PC_CAPABILITY_INPUT when it is none; of a PEM text the first one counts. */
export function readCertificate(
  { encoding, data }: EncodedCertificate,
  what: string,
): X509Certificate | Fault {
  try {
    // The constructor takes either form; who says one and sends the other is mistaken about what it sends.
    const isPem = Buffer.from(data).includes('-----BEGIN ');
    if (isPem === (encoding === 'Pem')) return new X509Certificate(data);
  } catch {
    // Said below.
  }
  return new Fault('PC_CAPABILITY_INPUT', `${what} is no certificate in ${encoding.toUpperCase()}`);
}

import { decodeBase64 } from './base64.ts';
import { charged, type Charge } from './charge.ts';

export interface PemBlock {
  readonly label: string;
  readonly bytes: Buffer;
  /** What follows its last line. */
  readonly rest: string;
}

const BLOCK = /(?:^|\n)-----BEGIN ([^\n]*?)-----[ \t\r]*\n([^-]*?)\n?-----END \1-----[ \t\r]*(?:\n|$)/;
const HEADERS = /^(?:[^\n:]+:[^\n]*\n)+\n?/;

/** The first PEM block of a text, whatever stands before it; undefined when there is none. */
export function decodePem(text: string, charge: Charge): PemBlock | undefined {
  charged(charge, text.length * 4);
  const found = BLOCK.exec(text);
  if (found === null) return undefined;
  const [whole, label = '', body = ''] = found;
  const bytes = decodeBase64(body.replace(HEADERS, '').replace(/[ \t]/g, ''));
  return bytes && { label, bytes, rest: text.slice(found.index + whole.length) };
}

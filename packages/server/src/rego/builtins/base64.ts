import { fail } from './operands.ts';

/** With or without its padding, and with line breaks, as Go reads it (RFC 7515, appendix C). */
export function decodeBase64Url(text: string): Buffer {
  const digits = text.replace(/[\r\n]/g, '');
  const isWhole = digits.endsWith('=') ? digits.length % 4 === 0 : digits.length % 4 !== 1;
  return isWhole && /^[\w-]*={0,2}$/.test(digits)
    ? Buffer.from(digits, 'base64url')
    : fail('illegal base64url data');
}

/** Only with its padding. */
export function decodeBase64(text: string): Buffer | undefined {
  const digits = text.replace(/[\r\n]/g, '');
  if (digits.length % 4 !== 0 || !/^[\w+/]*={0,2}$/.test(digits) || digits.includes('_')) return undefined;
  return Buffer.from(digits, 'base64');
}

import { createHash } from 'node:crypto';

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** True for `sha256:` and `sha512:` with lower-case hex of the right length; others are not used. */
export function isContentDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** `sha256:` and lower-case hex. */
export function contentDigest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Whether the bytes have the digest, which is a content digest. */
export function hasDigest(bytes: Uint8Array, digest: string): boolean {
  const [algorithm = '', hex] = digest.split(':');
  return createHash(algorithm).update(bytes).digest('hex') === hex;
}

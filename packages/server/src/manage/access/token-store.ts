import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { sha256 } from '../../kernel/digest.ts';
import { Secret } from '../../kernel/secret.ts';
import type { Role } from './roles.ts';

/** Whose token it is. */
export interface TokenOwner {
  /** Appears in the audit log. */
  readonly name: string;
  readonly role: Role;
}

/** A token as it is configured: only its digest is known. */
export interface TokenEntry extends TokenOwner {
  /** SHA-256 of the token, hex. */
  readonly sha256: string;
}

export interface TokenStore {
  /** Takes the same time wherever the token differs, and whichever it is. */
  find(token: string): TokenOwner | undefined;
}

/** Throws TypeError when a digest is none. */
export function createTokenStore(entries: readonly TokenEntry[]): TokenStore {
  const known = entries.map(({ name, role, sha256: hex }) => {
    if (!/^[0-9a-f]{64}$/i.test(hex))
      throw new TypeError(`the digest of token \`${name}\` is not SHA-256 in hex`);
    return { owner: { name, role }, digest: Buffer.from(hex, 'hex') };
  });
  return {
    find(token) {
      const digest = createHash('sha256').update(token).digest();
      let found: TokenOwner | undefined;
      for (const entry of known) {
        if (timingSafeEqual(entry.digest, digest)) found ??= entry.owner;
      }
      return found;
    },
  };
}

/** A new token: 32 random bytes after `pcl_`, a prefix by which leaks are found. The digest is what to configure. */
export function createToken(): { readonly token: Secret; readonly sha256: string } {
  const token = `pcl_${randomBytes(32).toString('base64url')}`;
  return { token: new Secret(token), sha256: sha256(token) };
}

import { sha256 } from '../../kernel/digest.ts';
import type { Fault } from '../../kernel/fault.ts';
import type { Secret } from '../../kernel/secret.ts';

export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: Secret }
  /** Exchanged for access tokens at the token server of the registry. */
  | { readonly kind: 'identity-token'; readonly token: Secret }
  /** Shown to the registry as it is. */
  | { readonly kind: 'registry-token'; readonly token: Secret };

/** Who we are at which registry. */
export interface Keychain {
  /** Undefined: nobody in particular. A fault is never taken for that: what should be there and cannot be read is an error. */
  find(registry: string, repository: string): Promise<Credential | undefined | Fault>;
}

export const anonymousKeychain: Keychain = { find: async () => undefined };

/** Tells credentials apart without showing them; what was got with one is never given to another. */
export function credentialKey(credential: Credential | undefined): string {
  if (credential === undefined) return 'anonymous';
  const parts =
    credential.kind === 'password'
      ? [credential.kind, credential.username, credential.password.reveal()]
      : [credential.kind, credential.token.reveal()];
  return sha256(JSON.stringify(parts));
}

/** The value of `Authorization`. */
export function basicAuthorization(username: string, password: Secret): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}`;
}

import { Fault } from '../../kernel/fault.ts';

export interface Broken {
  /** The server had begun to answer. */
  readonly answered: boolean;
  /** It was a connection kept from an earlier request. */
  readonly reused?: boolean;
}

/**
 * A connection that could not be made, or that broke. Its data: `reason`, the system's code; `answered` and `reused`;
 * `trust`, whether the server's certificate was the reason.
 */
export function connectionFault(what: string, error: unknown, broken: Broken): Fault {
  const cause = error instanceof Error ? error : undefined;
  const reason = cause === undefined ? 'UNKNOWN' : codeOf(cause);
  // The text of the library may hold the proxy's URL, so only its code is told; a certificate's problem is worth its text.
  const trust = isAboutTrust(reason);
  if (reason.startsWith('ERR_OSSL') || reason === 'ERR_INVALID_CHAR') {
    const unusable = MEANINGS[reason] ?? 'an authority, a client certificate or its key cannot be used';
    return new Fault('PC_KUBE_CREDENTIALS', `${what}: ${unusable}`, { data: { reason }, cause: error });
  }
  const text = trust ? (cause?.message ?? reason) : (MEANINGS[reason] ?? reason);
  return new Fault('PC_KUBE_UNREACHABLE', `${what}: ${text}`, {
    data: { reason, trust, ...broken },
    cause: error,
  });
}

export function isAboutTrustFault(fault: Fault): boolean {
  return fault.data['trust'] === true;
}

const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'its network cannot be reached',
  ETIMEDOUT: 'the connection timed out',
  ERR_INVALID_CHAR: 'the token has a character that no header may have',
};

function codeOf(error: Error): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return codeOf(error.errors[0]);
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : error.name;
}

/** OpenSSL's verification results and Node's own check of the name. */
function isAboutTrust(code: string): boolean {
  return /CERT|SELF_SIGNED|SIGNATURE|ALTNAME/.test(code) && !code.startsWith('ERR_SSL_');
}

import { LRUCache } from 'lru-cache';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { Clock } from '../../kernel/ports.ts';
import { Secret } from '../../kernel/secret.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Transport } from '../http/transport.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import { basicAuthorization, credentialKey, type Credential } from './credential.ts';
import { fetchToken } from './fetch-token.ts';

export type Action = 'pull' | 'push';

/** Who asks for what: what is granted to one of these is used for no other. */
export interface Asker {
  readonly endpoint: Endpoint;
  readonly action: Action;
  readonly credential: Credential | undefined;
}

/** Makes the `Authorization` of requests out of challenges and remembers it. */
export interface Authorizer {
  /** What was accepted before, while it lives. */
  known(asker: Asker): Secret | undefined;
  /** The value for the challenges of a 401. */
  answer(asker: Asker, header: string, signal: AbortSignal): Promise<Secret | Fault>;
  forget(asker: Asker): void;
}

const MAX_KNOWN = 1000;
/** Part of a token's life in which it is used. */
const USED_LIFE = 0.8;
const LONGEST_LIFE = 60 * 60_000;

interface Authorization {
  readonly value: Secret;
  readonly until: number;
}

export function createAuthorizer(transport: Transport, clock: Pick<Clock, 'now'>): Authorizer {
  const authorizations = new LRUCache<string, Authorization>({ max: MAX_KNOWN });

  async function fromToken(
    asker: Asker,
    { parameters }: Challenge,
    signal: AbortSignal,
  ): Promise<Authorization | Fault> {
    const { endpoint, action, credential } = asker;
    if (credential?.kind === 'registry-token') {
      return { value: new Secret(`Bearer ${credential.token.reveal()}`), until: Infinity };
    }
    // Never the scope of the challenge: a registry does not choose what we ask for.
    const scope = `repository:${endpoint.repository}:${action === 'push' ? 'pull,push' : 'pull'}`;
    const { realm = '', service } = parameters;
    const token = await fetchToken(transport, { endpoint, realm, service, scope, credential, signal });
    if (isFault(token)) return token;
    const lifetime = Math.min(token.lifetime * USED_LIFE, LONGEST_LIFE);
    return { value: new Secret(`Bearer ${token.token.reveal()}`), until: clock.now() + lifetime };
  }

  function fromPassword({ endpoint, credential }: Asker): Authorization | Fault {
    if (credential?.kind === 'password') {
      const value = new Secret(basicAuthorization(credential.username, credential.password));
      return { value, until: Infinity };
    }
    return unauthorized(endpoint, 'wants a user name and a password');
  }

  return {
    known(asker) {
      const authorization = authorizations.get(keyOf(asker));
      return authorization !== undefined && authorization.until > clock.now()
        ? authorization.value
        : undefined;
    },
    async answer(asker, header, signal) {
      const challenges = parseChallenges(header);
      const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
      const isBasic = challenges.some(({ scheme }) => scheme === 'basic');
      if (bearer === undefined && !isBasic) {
        return unauthorized(asker.endpoint, 'does not say how it wants us to log in');
      }
      const made = bearer === undefined ? fromPassword(asker) : await fromToken(asker, bearer, signal);
      if (isFault(made)) return made;
      authorizations.set(keyOf(asker), made);
      return made.value;
    },
    forget: (asker) => void authorizations.delete(keyOf(asker)),
  };
}

export function keyOf({ endpoint, action, credential }: Asker): string {
  return `${endpoint.origin} ${endpoint.repository} ${action} ${credentialKey(credential)}`;
}

function unauthorized({ origin, repository }: Endpoint, what: string): Fault {
  return new Fault('PC_OCI_UNAUTHORIZED', `\`${origin}\` ${what} for \`${repository}\``);
}

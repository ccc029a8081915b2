import { LRUCache } from 'lru-cache';
import { keyOf, type Action, type Asker, type Authorizer } from '../auth/authorizer.ts';
import type { Keychain } from '../auth/credential.ts';
import type { Endpoint } from '../endpoint.ts';
import { Fault, isFault } from '../../kernel/fault.ts';
import { pause } from '../../kernel/pause.ts';
import type { Runtime } from '../../kernel/ports.ts';
import { followRedirects } from './follow-redirects.ts';
import { registryOutcome, type RegistryObserver } from '../registry-observer.ts';
import { retryAfter } from './retry-after.ts';
import { shown, type Incoming, type Outgoing, type Transport } from './transport.ts';

export interface RegistryRequest {
  readonly method: Outgoing['method'];
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly maxBytes: number;
  readonly action: Action;
}

/** What bounds a piece of work at one endpoint. */
export interface Bounds {
  readonly signal: AbortSignal;
  /** When the signal aborts, on the axis of the clock. */
  readonly deadline: number;
  readonly keychain: Keychain;
}

/** A request with everything that registries want around it: credentials, patience, a second try. */
export type Exchange = (
  endpoint: Endpoint,
  request: RegistryRequest,
  bounds: Bounds,
) => Promise<Incoming | Fault>;

export interface ExchangeParts {
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  readonly runtime: Pick<Runtime, 'clock' | 'random' | 'after'>;
  readonly observer?: RegistryObserver | undefined;
}

/** Tries of one request. */
const TRIES = 3;
const MAX_BREAKERS = 1000;
const FIRST_WAIT = 200;

export function createExchange({ transport, authorizer, runtime, observer }: ExchangeParts): Exchange {
  const { clock } = runtime;
  /** Until when a registry wants to hear nothing from one of our accounts. */
  const closedUntil = new LRUCache<string, number>({ max: MAX_BREAKERS });

  /** One request, and a second one when the first was answered with a challenge. */
  async function authorized(asker: Asker, outgoing: Outgoing): Promise<Incoming | Fault> {
    const before = authorizer.known(asker);
    const answer = await followRedirects(transport, withAuthorization(outgoing, before?.reveal()));
    if (isFault(answer) || answer.status !== 401) return answer;
    authorizer.forget(asker);
    // A stranger that a redirect led to is not told who we are.
    if (answer.url.origin !== outgoing.url.origin) return answer;
    const header = answer.headers['www-authenticate'] ?? '';
    const made = await authorizer.answer(asker, header, outgoing.signal);
    if (isFault(made)) return made;
    const second = await followRedirects(transport, withAuthorization(outgoing, made.reveal()));
    if (!isFault(second) && second.status === 401) authorizer.forget(asker);
    return second;
  }

  return async (endpoint, request, { signal, deadline, keychain }) => {
    const { action, url, ...rest } = request;
    const credential = await keychain.find(endpoint.registry, endpoint.repository);
    if (isFault(credential)) return credential;
    const asker: Asker = { endpoint, action, credential };
    const key = keyOf(asker);
    const trusted = endpoint.trusted && url.origin === endpoint.origin;
    const outgoing: Outgoing = { headers: {}, ...rest, url, signal, trusted };
    const isStranger = url.origin !== endpoint.origin;
    const send = (): Promise<Incoming | Fault> =>
      isStranger ? transport.send(outgoing) : authorized(asker, outgoing);
    const host = endpoint.origin.slice(endpoint.origin.indexOf('//') + 2);
    return patiently(() => observed(host, send), {
      key,
      url,
      deadline,
      signal,
      isRepeatable: isRepeatable(request),
    });
  };

  async function observed(host: string, send: () => Promise<Incoming | Fault>): Promise<Incoming | Fault> {
    const start = clock.now();
    const answer = await send();
    observer?.asked(host, registryOutcome(answer), clock.now() - start);
    return answer;
  }

  async function patiently(send: () => Promise<Incoming | Fault>, tries: Tries): Promise<Incoming | Fault> {
    const { key, url, deadline, signal } = tries;
    for (let attempt = 1; ; attempt += 1) {
      const opens = closedUntil.get(key) ?? 0;
      if (opens > clock.now()) return throttled(url, opens - clock.now());
      const answer = await send();
      const wait = waitAfter(answer, attempt);
      if (wait === undefined) return answer;
      const isOver = attempt === TRIES || clock.now() + wait >= deadline;
      if (!isFault(answer) && answer.status === 429) {
        // Whoever asks next waits too, instead of making it worse.
        closedUntil.set(key, clock.now() + wait);
        if (isOver) return throttled(url, wait);
      } else if (isOver || !tries.isRepeatable) return answer;
      await pause(runtime, wait, signal);
      closedUntil.delete(key);
    }
  }

  /** Milliseconds until another try makes sense; undefined when none does. */
  function waitAfter(answer: Incoming | Fault, attempt: number): number | undefined {
    const backoff = FIRST_WAIT * 2 ** (attempt - 1) * (0.5 + runtime.random());
    if (isFault(answer)) return answer.code === 'PC_OCI_UNREACHABLE' ? backoff : undefined;
    const asked = retryAfter(answer.headers['retry-after'], clock.wall());
    if (answer.status === 429) return asked ?? backoff * 5;
    return answer.status < 500 || answer.status === 501 ? undefined : (asked ?? backoff);
  }
}

interface Tries {
  readonly key: string;
  readonly url: URL;
  readonly deadline: number;
  readonly signal: AbortSignal;
  readonly isRepeatable: boolean;
}

function isRepeatable({ method }: RegistryRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}

function withAuthorization(outgoing: Outgoing, authorization: string | undefined): Outgoing {
  if (authorization === undefined) return outgoing;
  return { ...outgoing, headers: { ...outgoing.headers, authorization } };
}

function throttled(url: URL, milliseconds: number): Fault {
  const retryAfterMs = Math.ceil(milliseconds);
  return new Fault(
    'PC_OCI_THROTTLED',
    `\`${shown(url)}\` has had too many requests; it wants the next one in ${Math.ceil(retryAfterMs / 1000)} s`,
    { data: { retryAfterMs } },
  );
}

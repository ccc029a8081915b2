import { Fault, isFault } from '../../kernel/fault.ts';
import { Secret } from '../../kernel/secret.ts';
import { isRecord } from '../descriptor.ts';
import type { Endpoint } from '../endpoint.ts';
import { statusFault } from '../http/status-fault.ts';
import { shown, type Incoming, type Transport } from '../http/transport.ts';
import { parseJson } from '../manifest.ts';
import { basicAuthorization, type Credential } from './credential.ts';

export interface TokenRequest {
  readonly endpoint: Endpoint;
  /** Of the challenge. */
  readonly realm: string;
  readonly service: string | undefined;
  readonly scope: string;
  readonly credential: Credential | undefined;
  readonly signal: AbortSignal;
}

export interface AccessToken {
  readonly token: Secret;
  /** Milliseconds that it lives, as the server says. */
  readonly lifetime: number;
}

const CLIENT = 'portcullis';
const MAX_TOKEN_ANSWER = 256 * 1024;
/** The specification's, when nothing is said: https://distribution.github.io/distribution/spec/auth/token/ */
const DEFAULT_LIFETIME = 60_000;

/** Asks the token server that a registry names. Its redirects are not followed: the request carries credentials. */
export async function fetchToken(transport: Transport, request: TokenRequest): Promise<AccessToken | Fault> {
  const url = realmUrl(request);
  if (isFault(url)) return url;
  const { credential } = request;
  const answer =
    credential?.kind === 'identity-token'
      ? await exchangeIdentity(transport, request, url, credential.token)
      : await ask(transport, request, url, passwordOf(credential));
  if (isFault(answer)) return answer;
  if (answer.status !== 200) return refused(answer);
  return tokenIn(answer);
}

function realmUrl({ endpoint, realm }: TokenRequest): URL | Fault {
  const url = URL.parse(realm);
  if (url === null || url.username !== '' || url.password !== '') {
    return new Fault('PC_OCI_ANSWER', `\`${endpoint.origin}\` names a token server that is not a URL`);
  }
  const isPlain = endpoint.origin.startsWith('http:');
  if (url.protocol === 'https:' || (isPlain && url.protocol === 'http:')) return url;
  return new Fault('PC_OCI_ANSWER', `\`${endpoint.origin}\` names a token server without TLS`);
}

function ask(
  transport: Transport,
  request: TokenRequest,
  realm: URL,
  authorization: string | undefined,
): Promise<Incoming | Fault> {
  const url = new URL(realm);
  if (request.service !== undefined) url.searchParams.set('service', request.service);
  url.searchParams.set('scope', request.scope);
  url.searchParams.set('client_id', CLIENT);
  return transport.send({
    method: 'GET',
    url,
    headers: authorization === undefined ? {} : { authorization },
    ...limitsOf(request, url),
  });
}

/** OAuth 2 with a refresh token; older token servers only know it as a password. */
async function exchangeIdentity(
  transport: Transport,
  request: TokenRequest,
  url: URL,
  token: Secret,
): Promise<Incoming | Fault> {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: token.reveal(),
    client_id: CLIENT,
    scope: request.scope,
    ...(request.service === undefined ? {} : { service: request.service }),
  });
  const answer = await transport.send({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
    ...limitsOf(request, url),
  });
  if (isFault(answer) || (answer.status !== 404 && answer.status !== 405)) return answer;
  return ask(transport, request, url, basicAuthorization('<token>', token));
}

function limitsOf({ endpoint, signal }: TokenRequest, url: URL) {
  const trusted = endpoint.trusted && url.hostname === new URL(endpoint.origin).hostname;
  return { maxBytes: MAX_TOKEN_ANSWER, signal, trusted };
}

function passwordOf(credential: Credential | undefined): string | undefined {
  return credential?.kind === 'password'
    ? basicAuthorization(credential.username, credential.password)
    : undefined;
}

/** Token servers answer 400 or 401 to what they do not like in credentials. */
function refused(answer: Incoming): Fault {
  return answer.status === 400
    ? new Fault('PC_OCI_UNAUTHORIZED', `\`${shown(answer.url)}\` gives no token: answer 400`)
    : statusFault(answer);
}

function tokenIn({ body, url }: Incoming): AccessToken | Fault {
  const value = parseJson(body);
  const token = isRecord(value) ? (value['token'] ?? value['access_token']) : undefined;
  // What could break out of the header is no token.
  if (!isRecord(value) || typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    return new Fault('PC_OCI_ANSWER', `\`${shown(url)}\` answered without a token`);
  }
  const seconds = value['expires_in'];
  const lifetime = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : DEFAULT_LIFETIME;
  return { token: new Secret(token), lifetime };
}

import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest, Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { Fault, isFault } from '../../kernel/fault.ts';
import { http } from '../../kernel/node-http.ts';
import type { KubeConnection, KubeIdentity } from '../connection/kube-connection.ts';
import type { KubeRuntime } from '../kube-host.ts';
import { connectionFault, type Broken } from './connection-fault.ts';

export interface Outgoing {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** For messages: "cannot list `pods`". */
  readonly what: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the headers of the answer. */
  readonly timeout: number;
}

/** One request on the wire, without retries. */
export interface Exchange {
  send(outgoing: Outgoing, identity: KubeIdentity): Promise<IncomingMessage | Fault>;
  close(): void;
}

/** Milliseconds until a connection stands, TLS included. */
const CONNECT_TIMEOUT = 10_000;
/** An API server closes idle connections after 90 s; we go first, so that no request meets a closing one. */
const IDLE = 60_000;
/** TCP asks a silent peer whether it lives. */
const KEEP_ALIVE = 30_000;

export function createExchange(
  connection: KubeConnection,
  runtime: KubeRuntime,
  userAgent: string,
): Exchange {
  const base = new URL(connection.server);
  const isTls = base.protocol === 'https:';
  const proxy = connection.proxy?.reveal();
  const agent = new (isTls ? HttpsAgent : http.Agent)({
    keepAlive: true,
    keepAliveMsecs: KEEP_ALIVE,
    timeout: IDLE,
    maxFreeSockets: 8,
    ...(proxy === undefined ? {} : { proxyEnv: { HTTPS_PROXY: proxy, HTTP_PROXY: proxy } }),
  });
  const prefix = base.pathname === '/' ? '' : base.pathname;

  const headersOf = (outgoing: Outgoing, identity: KubeIdentity): OutgoingHttpHeaders => ({
    ...connection.headers,
    accept: 'application/json',
    'user-agent': userAgent,
    ...(identity.authorization === undefined ? {} : { authorization: identity.authorization.reveal() }),
    ...(outgoing.body === undefined
      ? {}
      : {
          'content-type': outgoing.contentType ?? 'application/json',
          'content-length': String(Buffer.byteLength(outgoing.body)),
        }),
  });

  return {
    send(outgoing, identity) {
      if (outgoing.signal?.aborted === true) return Promise.resolve(aborted(outgoing.what));
      return exchanged(outgoing, (resolve) => {
        const request = (isTls ? httpsRequest : http.request)({
          agent,
          protocol: base.protocol,
          hostname: base.hostname.replace(/^\[|\]$/g, ''),
          port: base.port === '' ? (isTls ? 443 : 80) : Number(base.port),
          method: outgoing.method,
          path: prefix + outgoing.path,
          headers: headersOf(outgoing, identity),
          ...(isTls ? tlsOptions(connection, identity) : {}),
          ...(outgoing.signal === undefined ? {} : { signal: outgoing.signal }),
        });
        const stop = limitTime(request, outgoing, runtime);
        request.once('response', (answer) => {
          stop();
          resolve(answer);
        });
        // Stays for errors after the headers, which the reader of the body sees too.
        request.on('error', (error) => {
          stop();
          resolve(exchangeFault(outgoing, error, { answered: false, reused: request.reusedSocket }));
        });
        request.end(outgoing.body);
      });
    },
    close: () => agent.destroy(),
  };
}

/** Node throws for what cannot be sent at all: a header with a line break, a certificate that is none. */
async function exchanged(
  outgoing: Outgoing,
  start: (resolve: (answer: IncomingMessage | Fault) => void) => void,
): Promise<IncomingMessage | Fault> {
  try {
    return await new Promise(start);
  } catch (error) {
    return exchangeFault(outgoing, error, { answered: false });
  }
}

/** Certificates are options of the request: the agent keeps connections of another identity apart. */
function tlsOptions(connection: KubeConnection, { ca, certificate }: KubeIdentity): object {
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: !connection.insecure,
    ...(connection.serverName === undefined ? {} : { servername: connection.serverName }),
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key.reveal() }),
  };
}

function limitTime(request: ClientRequest, { what, timeout }: Outgoing, runtime: KubeRuntime): () => void {
  const late = (text: string) => (): void => {
    request.destroy(new Fault('PC_KUBE_TIMEOUT', `${what}: ${text}`, { data: { answered: false } }));
  };
  let connecting = (): void => undefined;
  const answering = runtime.after(timeout, late(`no answer within ${Math.round(timeout / 100) / 10} s`));
  request.once('socket', (socket: Socket) => {
    if (!socket.connecting) return;
    connecting = runtime.after(CONNECT_TIMEOUT, late(`no connection within ${CONNECT_TIMEOUT / 1000} s`));
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => connecting());
  });
  return () => {
    answering();
    connecting();
  };
}

/** What broke an exchange, as a fault. */
export function exchangeFault(
  { what, signal }: Pick<Outgoing, 'what' | 'signal'>,
  error: unknown,
  broken: Broken,
): Fault {
  if (isFault(error)) return error;
  if (signal?.aborted === true) return aborted(what);
  return connectionFault(what, error, broken);
}

export function aborted(what: string): Fault {
  return new Fault('PC_KUBE_ABORTED', `${what}: it was given up`);
}

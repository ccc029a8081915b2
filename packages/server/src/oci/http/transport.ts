import type { Agent as HttpAgent, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import { Fault, isFault } from '../../kernel/fault.ts';
import { ForbiddenAddressError, guardedLookup } from '../../kernel/net/guarded-lookup.ts';
import { isMachineAddress, isPrivateAddress } from '../../kernel/net/private-address.ts';
import { http } from '../../kernel/node-http.ts';

export interface Outgoing {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Of the body of an answer; a longer one is a fault. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** May have a private address. */
  readonly trusted: boolean;
}

export interface Incoming {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Where it came from in the end. */
  readonly url: URL;
}

/** One request and its whole answer, whatever its status. */
export interface Transport {
  send(outgoing: Outgoing): Promise<Incoming | Fault>;
  close(): void;
}

export interface TransportOptions {
  /** PEM of authorities beside those that Node trusts. */
  readonly ca?: string;
  /** Allow private addresses everywhere; those of the machine's own metadata never are. */
  readonly allowPrivate: boolean;
  readonly userAgent: string;
}

/** Connections to one registry at a time, as others limit themselves. */
const MAX_SOCKETS = 8;
const IDLE_SOCKET = 15_000;
/** Of an answer that is an error: only its codes are of interest. */
const MAX_ERROR_BODY = 64 * 1024;

export function createTransport({ ca, allowPrivate, userAgent }: TransportOptions): Transport {
  const authorities = ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] };
  const pools = [isMachineAddress, isPrivateAddress].map((isForbidden) => {
    // A pool for each guard: a connection that one let through is never used under the other.
    const common = {
      keepAlive: true,
      maxSockets: MAX_SOCKETS,
      timeout: IDLE_SOCKET,
      lookup: guardedLookup(isForbidden),
    };
    return {
      isForbidden,
      http: new http.Agent(common),
      https: new HttpsAgent({ ...common, ...authorities }),
    };
  }) as [Pool, Pool];

  return {
    async send(outgoing) {
      const { url, signal } = outgoing;
      const pool = pools[outgoing.trusted || allowPrivate ? 0 : 1];
      const host = url.hostname.replace(/^\[|\]$/g, '');
      if (isIP(host) !== 0 && pool.isForbidden(host)) return forbidden(url);
      if (signal.aborted) return brokenOff(url, signal, undefined);
      const answer = await open(outgoing, pool, userAgent);
      return isFault(answer) ? answer : readAnswer(answer, outgoing);
    },
    close() {
      for (const pool of pools) {
        pool.http.destroy();
        pool.https.destroy();
      }
    },
  };
}

interface Pool {
  readonly isForbidden: (address: string) => boolean;
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

function open(outgoing: Outgoing, pool: Pool, userAgent: string): Promise<IncomingMessage | Fault> {
  const { method, url, headers, body, signal } = outgoing;
  const { promise, resolve } = Promise.withResolvers<IncomingMessage | Fault>();
  const length = body === undefined ? {} : { 'content-length': String(body.length) };
  const options = {
    method,
    signal,
    headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...headers, ...length },
  };
  const request =
    url.protocol === 'http:'
      ? http.request(url, { ...options, agent: pool.http }, resolve)
      : httpsRequest(url, { ...options, agent: pool.https }, resolve);
  // An answer that switches protocols is none, and no error comes after it.
  request.on('upgrade', (_answer, socket) => {
    socket.destroy();
    resolve(new Fault('PC_OCI_ANSWER', `\`${shown(url)}\` answered with another protocol`));
  });
  request.on('error', (error) => {
    resolve(error instanceof ForbiddenAddressError ? forbidden(url) : brokenOff(url, signal, error));
  });
  request.end(body);
  return promise;
}

async function readAnswer(answer: IncomingMessage, outgoing: Outgoing): Promise<Incoming | Fault> {
  const { url, signal } = outgoing;
  const status = answer.statusCode ?? 0;
  const isError = status >= 300;
  const maxBytes = isError ? MAX_ERROR_BODY : outgoing.maxBytes;
  const tooLarge = (): Fault | Incoming => {
    answer.destroy();
    if (isError) return { status, headers: answer.headers, body: Buffer.alloc(0), url };
    return new Fault('PC_OCI_SIZE', `\`${shown(url)}\` is larger than ${maxBytes} bytes`);
  };
  if (outgoing.method !== 'HEAD' && Number(answer.headers['content-length'] ?? 0) > maxBytes)
    return tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) return tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    return brokenOff(url, signal, error);
  }
  return { status, headers: answer.headers, body: Buffer.concat(chunks), url };
}

function brokenOff(url: URL, signal: AbortSignal, error: unknown): Fault {
  if (!signal.aborted) {
    const reason = error instanceof Error ? error.message : String(error);
    return new Fault('PC_OCI_UNREACHABLE', `no answer from \`${shown(url)}\`: ${reason}`, { cause: error });
  }
  return signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError'
    ? new Fault('PC_OCI_TIMEOUT', `\`${shown(url)}\` took too long`)
    : new Fault('PC_OCI_ABORTED', `the request to \`${shown(url)}\` was given up`);
}

function forbidden(url: URL): Fault {
  return new Fault('PC_OCI_ADDRESS', `\`${shown(url)}\` has an address that may not be connected to`);
}

/** Queries carry signatures and states of uploads, so they are not shown. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { FaultCode } from '../../kernel/fault.ts';
import type { Gate, GateResponse } from '../../gates/gate.ts';
import type { TlsMaterial } from '../tls/tls-material.ts';
import { LoadGauge } from './load-gauge.ts';
import { discardBody, readBody } from './read-body.ts';
import {
  BROKEN,
  CLOSE,
  OVERFLOWN,
  OVERLOADED,
  tooLarge,
  UNKNOWN_PATH,
  WRONG_METHOD,
  writeRefusal,
  type Refusal,
} from './refusal.ts';

export interface GateListenerOptions {
  readonly limits: GateLimits;
  readonly tls: GateTls;
  readonly gate: Gate;
  /** Whether the gate has this path; the body of a request to another one is not read. */
  readonly knows: (path: string) => boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** A request that never reached the gate. */
  readonly refused: (code: FaultCode) => void;
  /** The gate broke its promise not to reject. */
  readonly failed: (error: unknown) => void;
}

/** Milliseconds and bytes, as `serving` of the configuration has them. */
export interface GateLimits {
  readonly maxBodyBytes: number;
  readonly maxBufferedBytes: number;
  readonly maxConnections: number;
  readonly maxConcurrentReviews: number;
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
}

export interface GateTls {
  readonly material: TlsMaterial;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly requireClientCert: boolean;
}

export interface GateListener {
  /** Requests that the gate is busy with. */
  readonly underWay: number;
  /** Resolves to the port. `reusePort` lets other threads listen on the same one. */
  listen(options: {
    readonly host: string;
    readonly port: number;
    readonly reusePort: boolean;
  }): Promise<number>;
  /** For new connections; those that stand go on with what they have. */
  setTls(material: TlsMaterial): void;
  /** From now on every answer ends its connection. */
  endConnections(): void;
  /** Stops accepting and resolves when all connections are gone; after `timeout` they are cut. */
  close(timeout: number): Promise<void>;
}

const HANDSHAKE_TIMEOUT = 10_000;
/** Connections beyond the limit that are still taken, to tell them to come back later rather than to cut them. */
const OVERFLOW_SHARE = 1.25;
/** A body that is too large is read on up to this many times the limit, so that the client sees the answer. */
const DISCARD_FACTOR = 8;

/** HTTPS listener of one gate thread: HTTP/1.1, bounded in every direction. */
export function createGateListener(options: GateListenerOptions): GateListener {
  const { limits, tls } = options;
  const gauge = new LoadGauge({
    maxRequests: limits.maxConcurrentReviews,
    maxBytes: limits.maxBufferedBytes,
  });
  const overflow = new WeakSet<object>();
  let connections = 0;
  let ending = false;

  const server: Server = createServer({
    ...contextOptions(tls, tls.material),
    ALPNProtocols: ['http/1.1'],
    requestCert: tls.material.ca !== undefined,
    rejectUnauthorized: tls.requireClientCert,
    handshakeTimeout: HANDSHAKE_TIMEOUT,
    headersTimeout: Math.min(limits.headersTimeout, limits.requestTimeout),
    requestTimeout: limits.requestTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    connectionsCheckingInterval: Math.min(1000, limits.headersTimeout),
  });
  server.maxConnections = Math.ceil(limits.maxConnections * OVERFLOW_SHARE);
  server.on('drop', () => options.refused('PC_OVERLOAD'));
  server.on('secureConnection', (socket: TLSSocket) => {
    // One that is shown must be good, also where none is demanded.
    if (!socket.authorized && tls.material.ca !== undefined && showsCertificate(socket)) {
      socket.destroy();
      return;
    }
    connections += 1;
    if (connections > limits.maxConnections) overflow.add(socket);
    socket.on('close', () => {
      connections -= 1;
    });
  });
  server.on('request', onRequest);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    const refusal = check(request);
    // The body was not sent yet, and a client that gets no `100 Continue` may keep it: the connection has to end.
    if (refusal !== undefined)
      refuse(response, { ...refusal, headers: [...(refusal.headers ?? []), ...CLOSE] });
    else {
      response.writeContinue();
      onRequest(request, response);
    }
  });

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    // Its certificate was refused, but the request was already on its way.
    if (request.socket.destroyed) return;
    const received = options.now();
    const refusal = check(request);
    if (refusal !== undefined) {
      refuse(response, refusal);
      discardBody(request, limits.maxBodyBytes * DISCARD_FACTOR);
      return;
    }
    let held = Number(request.headers['content-length'] ?? 0);
    if (!gauge.enter(held)) {
      refuse(response, OVERLOADED);
      discardBody(request, limits.maxBodyBytes * DISCARD_FACTOR);
      return;
    }
    const announced = held;
    readBody(request, {
      check(bytes, total) {
        if (total <= announced) return undefined;
        if (total > limits.maxBodyBytes) return tooLarge(limits.maxBodyBytes);
        if (!gauge.grow(bytes)) return OVERLOADED;
        held += bytes;
        return undefined;
      },
      refused(reason) {
        gauge.leave(held);
        refuse(response, reason);
        discardBody(request, limits.maxBodyBytes * DISCARD_FACTOR);
      },
      aborted: () => gauge.leave(held),
      done(body) {
        void answer(request, response, { received, body }).finally(() => gauge.leave(held));
      },
    });
  }

  /** What can be said before the body is read. */
  function check(request: IncomingMessage): Refusal | undefined {
    if (!options.knows(pathOf(request.url ?? ''))) return UNKNOWN_PATH;
    if (request.method !== 'POST') return WRONG_METHOD;
    if (Number(request.headers['content-length'] ?? 0) > limits.maxBodyBytes)
      return tooLarge(limits.maxBodyBytes);
    return overflow.has(request.socket) ? OVERFLOWN : undefined;
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    { received, body }: { readonly received: number; readonly body: Buffer },
  ): Promise<void> {
    const { headers, url = '', method = '' } = request;
    const path = pathOf(url);
    const traceParent = headers['traceparent'];
    try {
      const answered = await options.gate({
        method,
        path,
        query: url.slice(path.length + 1),
        contentType: headers['content-type'],
        body,
        received,
        ...(typeof traceParent === 'string' ? { traceParent } : {}),
      });
      write(response, answered);
    } catch (error) {
      options.failed(error);
      refuse(response, BROKEN);
    }
  }

  function write(response: ServerResponse, { status, headers, body }: GateResponse): void {
    const lines = ['content-length', String(Buffer.byteLength(body))];
    for (const name in headers) lines.push(name, headers[name] ?? '');
    if (ending) lines.push(...CLOSE);
    response.writeHead(status, lines);
    response.end(body);
  }

  function refuse(response: ServerResponse, refusal: Refusal): void {
    options.refused(refusal.fault.code);
    if (response.headersSent) return;
    const headers = [...(refusal.headers ?? []), ...(ending ? CLOSE : [])];
    writeRefusal(response, { ...refusal, headers });
  }

  return {
    get underWay() {
      return gauge.requests;
    },
    listen: (address) => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      server.once('error', reject);
      server.listen({ ...address, backlog: 1024 }, () => {
        server.off('error', reject);
        const bound = server.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : address.port);
      });
      return promise;
    },
    setTls: (material) => server.setSecureContext(contextOptions(tls, material)),
    endConnections() {
      ending = true;
    },
    close(timeout) {
      ending = true;
      const { promise, resolve } = Promise.withResolvers<void>();
      const cut = setTimeout(() => server.closeAllConnections(), timeout);
      server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      return promise;
    },
  };
}

function contextOptions(
  { minVersion }: GateTls,
  { cert, key, ca }: TlsMaterial,
): {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly minVersion: GateTls['minVersion'];
} {
  return { cert, key, minVersion, ...(ca === undefined ? {} : { ca }) };
}

function showsCertificate(socket: TLSSocket): boolean {
  return socket.getPeerX509Certificate() !== undefined;
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { Fault, type FaultCode } from '../../kernel/fault.ts';
import type { TlsMaterial } from '../tls/tls-material.ts';
import { findRoute, type GateRoute } from './find-route.ts';
import { LoadGauge } from './load-gauge.ts';
import { discardBody, readBody } from './read-body.ts';
import { writeRefusal, type Refusal } from './refusal.ts';

export interface GateListenerOptions {
  readonly limits: GateLimits;
  readonly tls: GateTls;
  readonly handle: GateHandler;
  /** A request that never reached the handler. */
  readonly refused: (code: FaultCode) => void;
  /** The handler broke its promise not to reject. */
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

/** One complete request to a gate. */
export interface GateHttpRequest {
  readonly route: GateRoute;
  /** After the `?`, undecoded; empty when there is none. */
  readonly query: string;
  readonly contentType: string | undefined;
  readonly traceParent: string | undefined;
  readonly body: Buffer;
}

export interface GateHttpResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Uint8Array;
}

export type GateHandler = (request: GateHttpRequest) => Promise<GateHttpResponse>;

export interface GateListener {
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
    if (isRefusal(refusal)) refuse(response, { ...refusal, headers: [...(refusal.headers ?? []), ...CLOSE] });
    else {
      response.writeContinue();
      onRequest(request, response);
    }
  });

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const route = check(request);
    if (isRefusal(route)) {
      refuse(response, route);
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
      accept(bytes, total) {
        if (total <= announced) return true;
        if (total > limits.maxBodyBytes || !gauge.grow(bytes)) return false;
        held += bytes;
        return true;
      },
      refused() {
        gauge.leave(held);
        refuse(response, tooLarge(limits.maxBodyBytes));
        discardBody(request, limits.maxBodyBytes * DISCARD_FACTOR);
      },
      aborted: () => gauge.leave(held),
      done(body) {
        void answer(request, response, { route, body }).finally(() => gauge.leave(held));
      },
    });
  }

  /** What can be said before the body is read. */
  function check(request: IncomingMessage): GateRoute | Refusal {
    const route = findRoute(pathOf(request.url ?? ''));
    if (route === undefined) return UNKNOWN_PATH;
    if (request.method !== 'POST') return WRONG_METHOD;
    if (Number(request.headers['content-length'] ?? 0) > limits.maxBodyBytes)
      return tooLarge(limits.maxBodyBytes);
    return overflow.has(request.socket) ? OVERFLOWN : route;
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    { route, body }: { readonly route: GateRoute; readonly body: Buffer },
  ): Promise<void> {
    const { headers, url = '' } = request;
    try {
      const answered = await options.handle({
        route,
        query: url.slice(pathOf(url).length + 1),
        contentType: headers['content-type'],
        traceParent: headers['traceparent'] as string | undefined,
        body,
      });
      write(response, answered);
    } catch (error) {
      options.failed(error);
      refuse(response, BROKEN);
    }
  }

  function write(response: ServerResponse, { status, contentType, body }: GateHttpResponse): void {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const headers = ['content-type', contentType, 'content-length', String(length)];
    if (ending) headers.push(...CLOSE);
    response.writeHead(status, headers);
    response.end(body);
  }

  function refuse(response: ServerResponse, refusal: Refusal): void {
    options.refused(refusal.fault.code);
    if (response.headersSent) return;
    const headers = [...(refusal.headers ?? []), ...(ending ? CLOSE : [])];
    writeRefusal(response, { ...refusal, headers });
  }

  return {
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

function isRefusal(value: GateRoute | Refusal): value is Refusal {
  return 'fault' in value;
}

const CLOSE = ['connection', 'close'] as const;
/** An API server takes it as an invitation to try again inside its own timeout. */
const RETRY = ['retry-after', '1'] as const;

const UNKNOWN_PATH: Refusal = {
  status: 404,
  fault: new Fault(
    'PC_NOT_FOUND',
    'there is no gate at this path; reviews go to `/admission/validate` or `/admission/mutate`',
  ),
};
const WRONG_METHOD: Refusal = {
  status: 405,
  fault: new Fault('PC_METHOD', 'a gate takes only POST'),
  headers: ['allow', 'POST'],
};
const OVERLOADED: Refusal = {
  status: 429,
  fault: new Fault('PC_OVERLOAD', 'too many reviews are under way'),
  headers: RETRY,
};
const OVERFLOWN: Refusal = {
  status: 429,
  fault: new Fault('PC_OVERLOAD', 'too many connections are open'),
  headers: [...RETRY, ...CLOSE],
};
const BROKEN: Refusal = { status: 500, fault: new Fault('PC_INTERNAL', 'the review could not be answered') };

function tooLarge(limit: number): Refusal {
  return { status: 413, fault: new Fault('PC_REVIEW_SIZE', `the body is larger than ${limit} bytes`) };
}

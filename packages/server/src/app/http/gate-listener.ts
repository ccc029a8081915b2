import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Duplex } from 'node:stream';
import { http } from '../../kernel/node-http.ts';
import type { FaultCode } from '../../kernel/fault.ts';
import type { Gate } from '../../gates/gate.ts';
import type { TlsMaterial } from '../tls/tls-material.ts';
import { AnswerWriter } from './answer-writer.ts';
import { FastConnection } from './fast-connection.ts';
import { createRequestListener } from './request-listener.ts';
import { ReviewIntake } from './review-intake.ts';
import { TurnEnd } from './turn-end.ts';

export interface GateListenerOptions {
  readonly limits: GateLimits;
  /** Absent: plain HTTP. */
  readonly tls?: GateTls;
  readonly gate: Gate;
  /** Whether the gate has this path; the body of a request to another one is not read. */
  readonly knows: (path: string) => boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** A request that never reached the gate; the path is `""` where none was read. */
  readonly refused: (code: FaultCode, path: string) => void;
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
/** Milliseconds that an idle connection is kept longer than it is told, as `node:http` does. */
const KEEP_ALIVE_GRACE = 1000;

/**
 * Listener of one gate thread: HTTP/1.1, with TLS unless there is no certificate, bounded in every direction. Plain requests, which
 * are all that an API server sends, are read by fast connections at half of the cost; everything else is read by `node:http`. The
 * rules and the answers are the same.
 */
export function createGateListener(options: GateListenerOptions): GateListener {
  const { limits, tls, now } = options;
  const timeouts = {
    headers: Math.min(limits.headersTimeout, limits.requestTimeout),
    request: limits.requestTimeout,
    keepAlive: limits.keepAliveTimeout + KEEP_ALIVE_GRACE,
  };
  const checkingInterval = Math.min(1000, limits.headersTimeout);
  const intake = new ReviewIntake(options);
  const writer = new AnswerWriter(limits.keepAliveTimeout);
  const turnEnd = new TurnEnd();
  /** Every connection, also one that is still shaking hands. */
  const sockets = new Set<Duplex>();
  const fast = new Set<FastConnection>();
  const overflow = new WeakSet<Duplex>();
  let connections = 0;
  let closing = false;
  let timer: NodeJS.Timeout | undefined;

  const bounds = {
    headersTimeout: timeouts.headers,
    requestTimeout: timeouts.request,
    keepAliveTimeout: limits.keepAliveTimeout,
    keepAliveTimeoutBuffer: KEEP_ALIVE_GRACE,
    connectionsCheckingInterval: checkingInterval,
  };
  const secure = tls === undefined ? undefined : createServer({ ...secureOptions(tls), ...bounds });
  const server = secure ?? http.createServer(bounds);
  server.maxConnections = Math.ceil(limits.maxConnections * OVERFLOW_SHARE);
  const requests = createRequestListener({
    intake,
    maxBodyBytes: limits.maxBodyBytes,
    now,
    isOverflow: (socket) => overflow.has(socket),
  });
  server.on('request', requests.onRequest);
  server.on('checkContinue', requests.onCheckContinue);
  server.on('drop', () => options.refused('PC_OVERLOAD', ''));

  // `node:http` gets a connection when we say so, and not at once.
  const ready = secure === undefined ? 'connection' : 'secureConnection';
  const [serve, ...others] = server.listeners(ready);
  if (serve === undefined || others.length > 0) throw new TypeError('node:http takes connections otherwise');
  server.removeAllListeners(ready);
  server.on('connection', (socket: Duplex) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on(ready, (socket: Socket) => {
    // One that is shown must be good, also where none is demanded.
    if (isUntrusted(socket, tls)) {
      socket.destroy();
      return;
    }
    connections += 1;
    socket.on('close', () => {
      connections -= 1;
    });
    // `close` follows; without a listener the error would end the thread.
    socket.on('error', () => undefined);
    if (connections > limits.maxConnections) {
      overflow.add(socket);
      serve.call(server, socket);
      return;
    }
    const connection = new FastConnection(socket, {
      intake,
      writer,
      turnEnd,
      now,
      timeouts,
      left: () => fast.delete(connection),
      serve: () => serve.call(server, socket),
    });
    fast.add(connection);
  });

  function checkConnections(): void {
    const time = now();
    for (const connection of fast) {
      connection.expire(time);
      if (closing) connection.cutIdle();
    }
  }

  return {
    get underWay() {
      return intake.gauge.requests;
    },
    listen: (address) => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      server.once('error', reject);
      server.listen({ ...address, backlog: 1024 }, () => {
        server.off('error', reject);
        timer = setInterval(checkConnections, checkingInterval).unref();
        const bound = server.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : address.port);
      });
      return promise;
    },
    setTls(material) {
      if (tls !== undefined) secure?.setSecureContext(contextOptions(tls, material));
    },
    endConnections: () => intake.endConnections(),
    close(timeout) {
      intake.endConnections();
      closing = true;
      const { promise, resolve } = Promise.withResolvers<void>();
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, timeout);
      server.close(() => {
        clearTimeout(cut);
        clearInterval(timer);
        resolve();
      });
      checkConnections();
      return promise;
    },
  };
}

function secureOptions(tls: GateTls): Parameters<typeof createServer>[0] {
  return {
    ...contextOptions(tls, tls.material),
    ALPNProtocols: ['http/1.1'],
    requestCert: tls.material.ca !== undefined,
    rejectUnauthorized: tls.requireClientCert,
    handshakeTimeout: HANDSHAKE_TIMEOUT,
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

function isUntrusted(socket: Socket, tls: GateTls | undefined): boolean {
  if (tls?.material.ca === undefined || !(socket instanceof TLSSocket) || socket.authorized) return false;
  return socket.getPeerX509Certificate() !== undefined;
}

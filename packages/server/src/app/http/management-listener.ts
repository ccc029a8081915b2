import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { TlsMaterial } from '../tls/tls-material.ts';
import { discardBody } from './read-body.ts';

/** In the manner of fetch; never rejects. It bounds the body itself, so that nothing is read before it wants it. */
export type FetchHandler = (request: Request, info: { readonly remoteAddress: string }) => Promise<Response>;

export interface ManagementListener {
  listen(options: { readonly host: string; readonly port: number }): Promise<number>;
  setTls(material: TlsMaterial): void;
  /** Stops accepting; connections under way get `timeout` ms. */
  close(timeout: number): Promise<void>;
}

export interface ManagementListenerOptions {
  readonly handler: FetchHandler;
  /** Absent: plain HTTP. */
  readonly tls?: TlsMaterial;
  readonly failed: (error: unknown) => void;
}

const TIMEOUTS = { requestTimeout: 60_000, headersTimeout: 10_000 };
const HANDSHAKE_TIMEOUT = 10_000;
/** Bytes of a body that the handler did not want, read so that the client gets to see why. */
const DISCARD_ALLOWANCE = 64 * 1024 ** 2;

/** The listener of the management API: rare requests, so clarity before speed. */
export function createManagementListener(options: ManagementListenerOptions): ManagementListener {
  const { tls } = options;
  const scheme = tls === undefined ? 'http' : 'https';
  const onRequest: RequestListener = (request, response) => {
    answer(request, response).catch((error: unknown) => {
      options.failed(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  };
  const server: Server | HttpsServer =
    tls === undefined
      ? createHttpServer(TIMEOUTS, onRequest)
      : createHttpsServer(
          {
            ...TIMEOUTS,
            ...tls,
            minVersion: 'TLSv1.3',
            ALPNProtocols: ['http/1.1'],
            handshakeTimeout: HANDSHAKE_TIMEOUT,
          },
          onRequest,
        );

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(incoming.url ?? '/', `${scheme}://${incoming.headers.host ?? 'localhost'}`);
    const method = incoming.method ?? 'GET';
    if (url === null || !ANSWERED.has(method)) {
      response.writeHead(url === null ? 400 : 405).end();
      return;
    }
    const headers = new Headers();
    for (const [name, values] of Object.entries(incoming.headersDistinct)) {
      for (const value of values ?? []) headers.append(name, value);
    }
    const hasBody = method !== 'GET' && method !== 'HEAD';
    const request = new Request(url, {
      method,
      headers,
      ...(hasBody ? { body: bodyOf(incoming), duplex: 'half' } : {}),
    });
    const remoteAddress = incoming.socket.remoteAddress ?? '';
    const answered = await options.handler(request, { remoteAddress });
    const content = Buffer.from(await answered.arrayBuffer());
    const length = ['content-length', String(content.length)];
    response.writeHead(answered.status, [...answered.headers, length].flat());
    response.end(method === 'HEAD' ? undefined : content);
    if (!incoming.complete) discardBody(incoming, DISCARD_ALLOWANCE);
  }

  return {
    listen: ({ host, port }) => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        const bound = server.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
      });
      return promise;
    },
    setTls(material) {
      if (server instanceof HttpsServer) server.setSecureContext({ ...material, minVersion: 'TLSv1.3' });
    },
    close(timeout) {
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

/** `Request` refuses to be made for others, such as TRACE. */
const ANSWERED = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** The body as it comes. A reader that has enough leaves the connection alone, because the answer still has to go out. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let open = true;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const end = (finish: () => void): void => {
        if (open) finish();
        open = false;
      };
      incoming.on('data', (chunk: Buffer) => {
        if (!open) return;
        controller.enqueue(chunk);
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
      });
      incoming.on('end', () => end(() => controller.close()));
      incoming.on('error', (error) => end(() => controller.error(error)));
      incoming.on('close', () => end(() => controller.error(new Error('the client went away'))));
      incoming.pause();
    },
    pull() {
      incoming.resume();
    },
    cancel() {
      open = false;
      incoming.resume();
    },
  });
}

import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import { http } from '../../kernel/node-http.ts';
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
      ? http.createServer(TIMEOUTS, onRequest)
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
    const request = requestOf(incoming, scheme);
    if (typeof request === 'number') {
      response.writeHead(request).end();
      return;
    }
    const remoteAddress = incoming.socket.remoteAddress ?? '';
    const answered = await options.handler(request, { remoteAddress });
    const content = Buffer.from(await answered.arrayBuffer());
    const length = answered.status === 204 ? [] : ['content-length', String(content.length)];
    response.writeHead(answered.status, [...answered.headers, length].flat());
    response.end(incoming.method === 'HEAD' ? undefined : content);
    if (!incoming.complete) discardBody(incoming, DISCARD_ALLOWANCE);
  }

  return {
    listen: ({ host, port }) => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        // Of accepting a connection, such as no memory: unheard it would end the process.
        server.on('error', options.failed);
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

/** The request in the manner of fetch, or the status that refuses it. */
function requestOf(incoming: IncomingMessage, scheme: string): Request | number {
  const url = URL.parse(incoming.url ?? '/', `${scheme}://${incoming.headers.host ?? 'localhost'}`);
  // `Request` refuses addresses with a password, in words that quote it.
  if (url === null || url.username !== '' || url.password !== '') return 400;
  const method = incoming.method ?? 'GET';
  if (!ANSWERED.has(method)) return 405;
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  // So that the headers of a HEAD are those of its GET, the length too.
  if (method === 'GET' || method === 'HEAD') return new Request(url, { headers });
  return new Request(url, { method, headers, body: bodyOf(incoming), duplex: 'half' });
}

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

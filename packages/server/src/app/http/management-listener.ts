import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { TlsMaterial } from '../tls/tls-material.ts';

/** In the manner of fetch; never rejects. */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

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
  /** Larger bodies are cut off with 413 by the handler's own limit or here. */
  readonly maxBodyBytes: number;
  readonly failed: (error: unknown) => void;
}

const HANDSHAKE_TIMEOUT = 10_000;

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
      ? createHttpServer(onRequest)
      : createHttpsServer(
          { ...tls, minVersion: 'TLSv1.3', ALPNProtocols: ['http/1.1'], handshakeTimeout: HANDSHAKE_TIMEOUT },
          onRequest,
        );

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(incoming, options.maxBodyBytes);
    if (body === undefined) {
      response.writeHead(413, { connection: 'close' }).end();
      return;
    }
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
    const answered = await options.handler(
      new Request(url, { method, headers, ...(hasBody ? { body } : {}) }),
    );
    const content = Buffer.from(await answered.arrayBuffer());
    response.writeHead(
      answered.status,
      [...answered.headers, ['content-length', String(content.length)]].flat(),
    );
    response.end(method === 'HEAD' ? undefined : content);
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

/** Undefined when it is too large. */
async function read(incoming: IncomingMessage, limit: number): Promise<Buffer<ArrayBuffer> | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

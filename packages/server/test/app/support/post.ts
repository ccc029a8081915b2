import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request, type RequestOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Common name of the server's certificate. */
  readonly servedBy: string;
  /** The connection had served a request before. */
  readonly reused: boolean;
}

export interface PostOptions extends RequestOptions {
  readonly port: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** An agent that keeps connections and trusts everything: what is served is checked by the tests. */
export function keepAliveAgent(maxSockets = Infinity): Agent {
  return new Agent({ keepAlive: true, maxSockets, rejectUnauthorized: false, maxCachedSessions: 0 });
}

/** One request, `POST /admission/validate` on a connection of its own unless told otherwise. */
export function post({ body = '{}', headers = {}, ...options }: PostOptions): Promise<Answer> {
  const isChunked = headers['transfer-encoding'] !== undefined;
  const length = isChunked ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request({
    host: '127.0.0.1',
    method: 'POST',
    agent: false,
    path: '/admission/validate',
    rejectUnauthorized: false,
    headers: { 'content-type': 'application/json', ...length, ...headers },
    ...options,
  });
  outgoing.on('error', reject);
  outgoing.on('response', (incoming) => {
    const chunks: Buffer[] = [];
    const certificate = (incoming.socket as TLSSocket).getPeerX509Certificate();
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', reject);
    incoming.on('end', () => {
      resolve({
        status: incoming.statusCode ?? 0,
        headers: incoming.headers,
        text: Buffer.concat(chunks).toString(),
        servedBy: certificate?.subject.replace('CN=', '') ?? '',
        reused: outgoing.reusedSocket,
      });
    });
  });
  outgoing.end(body);
  return promise;
}

import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';

export interface HttpsClientOptions {
  /** Scheme, host and port. */
  readonly url: string;
  /** PEM of the authority that is trusted, instead of the system's. */
  readonly caPem: string;
  /** Sent as a bearer token with every request. */
  readonly token?: string;
}

export interface HttpsResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Texts of the `Warning` headers, unquoted, in order. */
  readonly warnings: readonly string[];
  readonly text: string;
  /** Parsed when the content is JSON, else `undefined`. */
  readonly body: unknown;
}

export interface HttpsClient {
  /** An object is sent as JSON, a string as it is (set `content-type`). Header names in lower case replace the defaults. */
  request(
    method: string,
    path: string,
    body?: object | string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<HttpsResponse>;
  close(): void;
}

/** A plain HTTPS client with kept connections, which shows what fetch hides: repeated headers and a private authority. */
export function createHttpsClient(options: HttpsClientOptions): HttpsClient {
  const agent = new Agent({ keepAlive: true, ca: options.caPem });
  return {
    request: (method, path, body, headers = {}) =>
      new Promise((resolve, reject) => {
        const payload = typeof body === 'object' ? JSON.stringify(body) : body;
        const outgoing = httpsRequest(new URL(path, options.url), {
          method,
          agent,
          timeout: 60_000,
          headers: {
            accept: 'application/json',
            ...(payload === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
            ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
            ...headers,
          },
        });
        outgoing.once('timeout', () => outgoing.destroy(new Error(`${method} ${path}: no answer in 60 s`)));
        outgoing.once('error', reject);
        outgoing.once('response', (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.once('error', reject);
          incoming.once('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              warnings: (incoming.headersDistinct['warning'] ?? []).map(warningText),
              text,
              body: parseJson(text),
            });
          });
        });
        outgoing.end(payload);
      }),
    close: () => agent.destroy(),
  };
}

// RFC 7234 section 5.5: `299 - "text"`, with backslash escapes; Node reads header bytes as latin1.
function warningText(header: string): string {
  const quoted = /^\d{3} \S+ "((?:[^"\\]|\\.)*)"/.exec(Buffer.from(header, 'latin1').toString('utf8'))?.[1];
  return quoted === undefined ? header : quoted.replaceAll(/\\(.)/g, '$1');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly body: Buffer;
}

/** Answers in place of the registry; `false` leaves it to the registry. */
export type Intercept = (exchange: Exchange) => boolean | Promise<boolean>;

/** A registry in memory that does what it should, but for what a test puts in between. */
export interface FakeRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly origin: string;
  /** `repository digest` to bytes. */
  readonly blobs: Map<string, Buffer>;
  /** `repository tag` and `repository digest` to manifests. */
  readonly manifests: Map<string, { readonly type: string; readonly bytes: Buffer }>;
  /** `METHOD path`, in the order in which they came. */
  readonly seen: string[];
  /** `Authorization` of every request; empty when there was none. */
  readonly authorizations: string[];
  intercept: Intercept;
  /** Puts an artifact of one layer there, and answers with the digest of its manifest. */
  put(repository: string, tag: string, layer: Uint8Array, layerType?: string): string;
  close(): Promise<void>;
}

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const WASM_TYPE = 'application/vnd.wasm.content.layer.v1+wasm';

export async function startFakeRegistry(): Promise<FakeRegistry> {
  const blobs: FakeRegistry['blobs'] = new Map();
  const manifests: FakeRegistry['manifests'] = new Map();
  const seen: string[] = [];
  const authorizations: string[] = [];
  const server = createServer((request, response) => void serve(request, response));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const exchange = { request, response, url, body: Buffer.concat(chunks) };
    seen.push(`${request.method} ${url.pathname}`);
    authorizations.push(request.headers.authorization ?? '');
    if (!(await registry.intercept(exchange))) answer(exchange);
  }

  function answer({ request, response, url, body }: Exchange): void {
    const [, repository = '', kind = '', name = ''] =
      /^\/v2\/(.+)\/(manifests|blobs|referrers)\/(.*)$/.exec(url.pathname) ?? [];
    const route = `${request.method} ${kind}`;
    const type = request.headers['content-type'] ?? '';
    if (route === 'POST blobs') {
      response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/1?state=x` }).end();
    } else if (route === 'PUT blobs') {
      blobs.set(`${repository} ${url.searchParams.get('digest')}`, body);
      response.writeHead(201).end();
    } else if (route === 'PUT manifests') {
      store(repository, name, body, type);
      response.writeHead(201).end();
    } else read(`${repository} ${name}`, response, kind);
  }

  function read(key: string, response: ServerResponse, kind: string): void {
    const manifest = kind === 'manifests' ? manifests.get(key) : undefined;
    const blob = kind === 'blobs' ? blobs.get(key) : undefined;
    if (manifest !== undefined) {
      const { type, bytes } = manifest;
      const headers = { 'content-type': type, 'docker-content-digest': digestOf(bytes) };
      response.writeHead(200, headers).end(bytes);
    } else if (blob !== undefined) response.writeHead(200).end(blob);
    else refuse(response, 404, 'NAME_UNKNOWN');
  }

  function store(repository: string, name: string, bytes: Buffer, type: string): void {
    for (const key of [name, digestOf(bytes)]) manifests.set(`${repository} ${key}`, { type, bytes });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const registry: FakeRegistry = {
    host,
    origin: `http://${host}`,
    blobs,
    manifests,
    seen,
    authorizations,
    intercept: () => false,
    put(repository, tag, layer, layerType = WASM_TYPE) {
      const config = Buffer.from('{}');
      for (const bytes of [config, Buffer.from(layer)]) blobs.set(`${repository} ${digestOf(bytes)}`, bytes);
      const manifest = {
        schemaVersion: 2,
        mediaType: MANIFEST_TYPE,
        config: descriptor('application/vnd.wasm.config.v1+json', config),
        layers: [descriptor(layerType, layer)],
      };
      const bytes = Buffer.from(JSON.stringify(manifest));
      store(repository, tag, bytes, MANIFEST_TYPE);
      return digestOf(bytes);
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return registry;
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function descriptor(mediaType: string, bytes: Uint8Array) {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

export function refuse(response: ServerResponse, status: number, code = 'DENIED'): true {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: 'hunter2 was refused' }] }));
  return true;
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { makeCertificate } from '../../support/make-certificate.ts';
import { createFaultyWriter, type BodyFault, type FaultyWriter } from './faulty-writer.ts';
import { createObjectStore, type ObjectStore, type StoreEvent, type StoredObject } from './object-store.ts';

/** What the server does with one request instead of answering it. */
export type RequestFault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number; readonly body?: object }
  | { readonly kind: 'reset' }
  /** The request is taken and nothing is ever answered. */
  | { readonly kind: 'mute' };

export interface FakeKubeServerOptions {
  /** Whether watches may ask for the initial objects; default true. */
  readonly watchList?: boolean;
  /** Milliseconds between bookmarks; default: none but the ones that are asked for. */
  readonly bookmarkEvery?: number;
  /** Objects in a page, whatever is asked for at version 0, too; default: no pages at version 0. */
  readonly pageAtZero?: boolean;
  /** Default 100. */
  readonly firstVersion?: number;
}

/** Objects of one kind (configmaps; leases and events are kept with them), served as an API server serves it, with its version history and its lapses. */
export interface FakeKubeServer {
  readonly url: string;
  readonly caPem: string;
  readonly store: ObjectStore;
  /** `GET /path?query` of every request so far. */
  readonly requests: readonly string[];
  /** Tokens that are accepted; undefined: all. */
  tokens: readonly string[] | undefined;
  /** Decides about each request before it is served. */
  onRequest: (request: IncomingMessage, url: URL) => RequestFault | undefined;
  /** Decides about the body of each answer that is a list or a watch. */
  onBody: (url: URL) => BodyFault | undefined;
  /** Open watches. */
  watches(): number;
  /** A line to every open watch. */
  sendLine(line: string): void;
  sendBookmarks(): void;
  /** The server ends every open watch in order. */
  endWatches(): void;
  /** Breaks every connection. */
  cut(): void;
  /** Whether new connections are accepted. */
  listening: boolean;
  close(): Promise<void>;
}

interface Watch {
  readonly writer: FaultyWriter;
  from: number;
  readonly namespace: string | undefined;
  end(): void;
}

const PATH =
  /^\/(?:api\/v1|apis\/[^/]+\/v1)(?:\/namespaces\/([^/]+))?\/(?:configmaps|leases|events)(?:\/([^/]+))?$/;

export async function startFakeKubeServer(options: FakeKubeServerOptions = {}): Promise<FakeKubeServer> {
  const certificate = await makeCertificate();
  const store = createObjectStore(options.firstVersion);
  const watches = new Set<Watch>();
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  const server: Server = createServer(certificate, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://fake');
    requests.push(`${request.method} ${request.url}`);
    const fault = fake.onRequest(request, url);
    if (fault?.kind === 'reset') request.socket.destroy();
    else if (fault?.kind === 'status') {
      const { status, retryAfter, body } = fault;
      if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
      answer(response, status, body ?? { kind: 'Status', code: status, message: 'injected' });
    } else if (fault === undefined) void serve(request, response, url);
  });
  server.on('connection', (socket) => {
    if (!fake.listening) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });

  const sendEvent = (watch: Watch, { version, type, object }: StoreEvent): void => {
    if (version <= watch.from) return;
    if (watch.namespace === undefined || object.metadata.namespace === watch.namespace) {
      watch.writer.line(JSON.stringify({ type, object }));
    }
  };
  store.subscribe((event) => {
    for (const watch of watches) sendEvent(watch, event);
  });
  const bookmark = (annotations?: object): string =>
    JSON.stringify({
      type: 'BOOKMARK',
      object: {
        kind: 'ConfigMap',
        apiVersion: 'v1',
        metadata: { resourceVersion: String(store.version()), annotations },
      },
    });
  const sendBookmarks = (): void => {
    for (const watch of watches) watch.writer.line(bookmark());
  };
  const bookmarks =
    options.bookmarkEvery === undefined ? undefined : setInterval(sendBookmarks, options.bookmarkEvery);

  async function serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    if (fake.tokens !== undefined && !fake.tokens.includes(token)) {
      answer(response, 401, { kind: 'Status', code: 401, message: 'Unauthorized', reason: 'Unauthorized' });
      return;
    }
    const [isKnown, namespace, name] = PATH.exec(url.pathname) ?? [];
    if (isKnown === undefined) answer(response, 404, notFound(url.pathname));
    else if (name !== undefined)
      await serveObject(request, response, `${namespace}/${decodeURIComponent(name)}`);
    else if (request.method === 'POST') await createObject(request, response, namespace ?? '');
    else if (url.searchParams.get('watch') === 'true') serveWatch(response, url, namespace);
    else serveList(response, url, namespace);
  }

  async function serveObject(request: IncomingMessage, response: ServerResponse, key: string): Promise<void> {
    const object = store.get(key);
    if (object === undefined) answer(response, 404, notFound(key));
    else if (request.method === 'GET') answer(response, 200, object);
    else if (request.method === 'DELETE') answer(response, 200, store.remove(key) ?? {});
    else {
      const sent = (await readJson(request)) as StoredObject;
      const body = request.method === 'PATCH' ? { ...object, ...sent, metadata: object.metadata } : sent;
      const { resourceVersion } = body.metadata;
      if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion) {
        answer(response, 409, {
          kind: 'Status',
          code: 409,
          reason: 'Conflict',
          message: 'somebody was faster',
        });
      } else answer(response, 200, store.put(key, body));
    }
  }

  async function createObject(
    request: IncomingMessage,
    response: ServerResponse,
    namespace: string,
  ): Promise<void> {
    const body = (await readJson(request)) as StoredObject;
    const key = `${namespace}/${body.metadata.name}`;
    if (store.get(key) === undefined) answer(response, 201, store.put(key, body));
    else
      answer(response, 409, { kind: 'Status', code: 409, reason: 'AlreadyExists', message: `${key} exists` });
  }

  function serveWatch(response: ServerResponse, url: URL, namespace: string | undefined): void {
    const asked = url.searchParams.get('resourceVersion') ?? '';
    const isInitial = url.searchParams.get('sendInitialEvents') === 'true';
    if (isInitial && options.watchList === false) {
      answer(response, 422, {
        kind: 'Status',
        code: 422,
        reason: 'Invalid',
        message: 'sendInitialEvents is forbidden',
      });
      return;
    }
    if (isInitial && Number(asked) > store.version()) {
      answer(response, 504, tooLarge());
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const writer = createFaultyWriter(response, fake.onBody(url));
    const watch: Watch = { writer, namespace, from: Number(asked), end: () => writer.end() };
    if (isInitial) {
      for (const object of inNamespace(namespace)) writer.line(JSON.stringify({ type: 'ADDED', object }));
      writer.line(bookmark({ 'k8s.io/initial-events-end': 'true' }));
      watch.from = store.version();
    } else if (Number(asked) < store.oldest()) {
      writer.line(JSON.stringify({ type: 'ERROR', object: expired() }));
      writer.end();
      return;
    } else {
      // A version that is not reached yet waits silently, as in an API server whose data was replaced.
      for (const event of store.history()) sendEvent(watch, event);
    }
    watches.add(watch);
    response.once('close', () => watches.delete(watch));
  }

  function serveList(response: ServerResponse, url: URL, namespace: string | undefined): void {
    const asked = url.searchParams.get('resourceVersion') ?? '';
    const limit = Number(url.searchParams.get('limit') ?? 0);
    const next = url.searchParams.get('continue');
    if (Number(asked) > store.version()) {
      answer(response, 504, tooLarge());
      return;
    }
    const [at, start] = next === null ? [store.version(), 0] : next.split('.').map(Number);
    if (at === undefined || start === undefined || at < store.oldest()) {
      answer(response, 410, expired());
      return;
    }
    const all = inNamespace(namespace, at);
    const isPaged = limit > 0 && (asked !== '0' || options.pageAtZero === true);
    const end = isPaged ? start + limit : all.length;
    const token = end < all.length ? { continue: `${at}.${end}` } : {};
    response.writeHead(200, { 'content-type': 'application/json' });
    const writer = createFaultyWriter(response, fake.onBody(url));
    const items = all.slice(start, end).map((item) => ({ ...item, kind: undefined, apiVersion: undefined }));
    writer.line(
      JSON.stringify({
        kind: 'ConfigMapList',
        apiVersion: 'v1',
        metadata: { resourceVersion: String(at), ...token },
        items,
      }),
    );
    writer.end();
  }

  const inNamespace = (namespace: string | undefined, at?: number): StoredObject[] =>
    store.objects(at).filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);

  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const fake: FakeKubeServer = {
    url: `https://127.0.0.1:${port}`,
    caPem: certificate.cert,
    store,
    requests,
    tokens: undefined,
    onRequest: () => undefined,
    onBody: () => undefined,
    watches: () => watches.size,
    sendLine(line) {
      for (const { writer } of watches) writer.line(line);
    },
    sendBookmarks,
    endWatches() {
      for (const watch of watches) watch.end();
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    listening: true,
    close: () =>
      new Promise((resolve) => {
        clearInterval(bookmarks);
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return fake;
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

const notFound = (what: string): object => ({
  kind: 'Status',
  code: 404,
  reason: 'NotFound',
  message: `${what} not found`,
});
const expired = (): object => ({
  kind: 'Status',
  code: 410,
  reason: 'Expired',
  message: 'too old resource version',
});
const tooLarge = (): object => ({
  kind: 'Status',
  code: 504,
  reason: 'Timeout',
  message: 'Too large resource version',
  details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
});

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
}

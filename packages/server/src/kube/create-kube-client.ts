import { Fault, isFault } from '../kernel/fault.ts';
import type { KubeConnection } from './connection/kube-connection.ts';
import { createExchange } from './http/exchange.ts';
import {
  deleteBody,
  listQuery,
  prepareRaw,
  prepareRequest,
  watchQuery,
  writeQuery,
} from './http/prepare-request.ts';
import { readChunks, readJson, readText, type BodyReading } from './http/read-body.ts';
import { createItemSplitter } from './http/split-items.ts';
import { createLineSplitter } from './http/split-lines.ts';
import { createTransport, type Sending } from './http/transport.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeRuntime } from './kube-host.ts';
import { asKubeObject, isRecord, type KubeObject } from './kube-object.ts';
import type { ListEnd, ListOptions } from './kube-request.ts';
import { apiVersionOf, type KubeTarget } from './resource.ts';
import { parseWatchEvent } from './watch-event.ts';

export interface KubeClientOptions {
  readonly connection: KubeConnection;
  readonly runtime: KubeRuntime;
  /** `portcullis/1.2.3`. */
  readonly userAgent: string;
}

const LIST_TIMEOUT = 120_000;
/** Milliseconds without a byte inside an answer. */
const SILENCE = 30_000;
/** etcd takes 1.5 MiB of stored JSON by default, and servers are configured to at most a few times that. */
const MAX_OBJECT_BYTES = 16 * 1024 ** 2;
const MAX_RAW_BYTES = 32 * 1024 ** 2;

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export function createKubeClient({ connection, runtime, userAgent }: KubeClientOptions): KubeClient {
  const exchange = createExchange(connection, runtime, userAgent);
  const transport = createTransport(connection, exchange, runtime);
  const reading = (sending: Sending, silence = () => SILENCE): BodyReading => ({
    runtime,
    outgoing: sending,
    silence,
  });

  async function text(sending: Sending | Fault, maxBytes: number): Promise<string | Fault> {
    if (isFault(sending)) return sending;
    const answer = await transport.send(sending);
    return isFault(answer) ? answer : readText(answer, reading(sending), maxBytes);
  }

  async function object(target: KubeTarget, sending: Sending | Fault): Promise<KubeObject | Fault> {
    if (isFault(sending)) return sending;
    const answer = await transport.send(sending);
    if (isFault(answer)) return answer;
    const body = await readJson(answer, reading(sending), MAX_OBJECT_BYTES);
    return isFault(body) ? body : named(target, body, sending);
  }

  const eachItem: KubeClient['eachItem'] = async (target, options, onItem) => {
    const timeout = options.timeout ?? LIST_TIMEOUT;
    const sending = prepareRequest('list', target, { ...options, timeout, query: listQuery(options) });
    if (isFault(sending)) return sending;
    const answer = await transport.send(sending);
    if (isFault(answer)) return answer;
    let items = 0;
    const splitter = createItemSplitter(MAX_OBJECT_BYTES, (bytes) => {
      items += 1;
      const item = named(target, parse(bytes), sending);
      return isFault(item) ? item : onItem(item);
    });
    return (
      (await readChunks(answer, reading(sending), splitter.push)) ?? listEnd(splitter.end(), items, sending)
    );
  };

  const list: KubeClient['list'] = async (target, options = {}) => {
    const objects: KubeObject[] = [];
    let page: ListOptions = { limit: 500, ...options };
    for (;;) {
      const end = await eachItem(target, page, (item) => void objects.push(item));
      if (isFault(end)) return end;
      if (end.continue === undefined) return objects;
      page = { ...page, resourceVersion: undefined, resourceVersionMatch: undefined, continue: end.continue };
    }
  };

  const watch: KubeClient['watch'] = async (target, options, onEvent) => {
    const { signal, silence, onOpen } = options;
    const sending = prepareRequest('watch', target, { signal, attempts: 1, query: watchQuery(options) });
    if (isFault(sending)) return sending;
    const answer = await transport.send(sending);
    if (isFault(answer)) return answer;
    onOpen?.();
    let events = 0;
    const splitter = createLineSplitter(MAX_OBJECT_BYTES, (line) => {
      events += 1;
      const event = parseWatchEvent(line, sending.what, target.resource);
      return isFault(event) ? event : onEvent(event);
    });
    return (await readChunks(answer, reading(sending, silence), splitter.push)) ?? { events };
  };

  return {
    server: connection.server,
    namespace: connection.namespace,
    eachItem,
    list,
    watch,
    get: (target, options = {}) => object(target, prepareRequest('get', target, options)),
    create: (target, body, options = {}) =>
      object(target, prepareRequest('create', target, { ...options, query: writeQuery(options), body })),
    update: (target, body, options = {}) =>
      object(target, prepareRequest('update', target, { ...options, query: writeQuery(options), body })),
    patch(target, { type, body }, options = {}) {
      if (type === 'apply' && options.fieldManager === undefined) {
        throw new TypeError('server-side apply needs a fieldManager');
      }
      const payload = { body, contentType: PATCH_TYPES[type], idempotent: type !== 'json' };
      return object(
        target,
        prepareRequest('patch', target, { ...options, query: writeQuery(options), ...payload }),
      );
    },
    async delete(target, options = {}) {
      const body = deleteBody(options);
      const answer = await text(prepareRequest('delete', target, { ...options, body }), MAX_OBJECT_BYTES);
      return isFault(answer) ? answer : undefined;
    },
    async raw(path, options = {}) {
      const sending = prepareRaw(path, options);
      const answer = await transport.send(sending, true);
      if (isFault(answer)) return answer;
      const body = await readText(answer, reading(sending), MAX_RAW_BYTES);
      return isFault(body) ? body : { status: answer.statusCode ?? 0, text: body };
    },
    close: exchange.close,
  };
}

function named({ resource }: KubeTarget, value: unknown, { what }: Sending): KubeObject | Fault {
  const of = { apiVersion: apiVersionOf(resource), kind: resource.kind };
  if (resource.unnamed === true && isRecord(value)) return { ...value, ...of, metadata: { name: '' } };
  const object = asKubeObject(value, of);
  return object ?? new Fault('PC_KUBE_ANSWER', `${what}: the answer is no named object`);
}

function listEnd(list: unknown, items: number, { what }: Sending): ListEnd | Fault {
  const metadata = isRecord(list) ? list['metadata'] : undefined;
  const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
  if (!isRecord(metadata) || typeof version !== 'string' || version === '') {
    return new Fault('PC_KUBE_ANSWER', `${what}: the answer is no list with a resource version`);
  }
  const next = metadata['continue'];
  return {
    resourceVersion: version,
    items,
    ...(typeof next === 'string' && next !== '' ? { continue: next } : {}),
  };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

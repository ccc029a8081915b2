import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { podText } from '../support/pod-text.ts';

/** An API server that has nothing but so many pods, as large as real ones: `PORT CERT KEY COUNT`. */
const [port = '', certFile = '', keyFile = '', count = ''] = process.argv.slice(2);
const PODS = Number(count);
/** Of the list; each pod has one of its own below. */
const VERSION = String(PODS + 1);

createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (request, response) => {
  const query = new URL(request.url ?? '/', 'https://bench').searchParams;
  response.writeHead(200, { 'content-type': 'application/json' });
  void (query.get('watch') === 'true' ? watch(response, query) : list(response, query));
}).listen(Number(port), '127.0.0.1');

async function list(response: ServerResponse, query: URLSearchParams): Promise<void> {
  const start = Number(query.get('continue') ?? 0);
  const limit = query.get('resourceVersion') === '0' ? PODS : Number(query.get('limit') ?? PODS);
  const end = Math.min(PODS, start + limit);
  const next = end < PODS ? `,"continue":"${end}"` : '';
  response.write(
    `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"${VERSION}"${next}},"items":[`,
  );
  for (let index = start; index < end; index++) {
    await write(response, `${index === start ? '' : ','}${podText(index)}`);
  }
  response.end(']}\n');
}

async function watch(response: ServerResponse, query: URLSearchParams): Promise<void> {
  response.flushHeaders();
  if (query.get('sendInitialEvents') !== 'true') return;
  for (let index = 0; index < PODS; index++) {
    await write(response, `{"type":"ADDED","object":${podText(index, 'kind')}}\n`);
  }
  const annotations = '{"k8s.io/initial-events-end":"true"}';
  const metadata = `{"resourceVersion":"${VERSION}","annotations":${annotations}}`;
  response.write(`{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":${metadata}}}\n`);
}

async function write(response: ServerResponse, text: string): Promise<void> {
  if (!response.write(text)) await new Promise((resolve) => void response.once('drain', resolve));
}

import { deepEqual, equal, ok } from 'node:assert/strict';
import { get } from 'node:http';
import { after, describe, test } from 'node:test';
import {
  createManagementListener,
  type FetchHandler,
  type ManagementListener,
} from '../../src/app/http/management-listener.ts';
import { createPair } from './support/certificates.ts';
import { post } from './support/post.ts';

describe('management listener', () => {
  const open: ManagementListener[] = [];
  after(() => Promise.all(open.map((listener) => listener.close(0))));

  async function start(handler: FetchHandler, tls?: { cert: string; key: string }): Promise<number> {
    const listener = createManagementListener({
      handler,
      failed: () => undefined,
      ...(tls === undefined ? {} : { tls }),
    });
    open.push(listener);
    return listener.listen({ host: '127.0.0.1', port: 0 });
  }

  test('passes a request and its answer on', async () => {
    const port = await start(async (request, { remoteAddress }) => {
      const seen = [request.method, new URL(request.url).pathname, request.headers.get('x-a'), remoteAddress];
      return Response.json([...seen, await request.text()], { status: 201, headers: { 'x-b': '2' } });
    });
    const answer = await fetch(`http://127.0.0.1:${port}/a?b=c`, {
      method: 'PUT',
      headers: { 'x-a': '1' },
      body: 'x'.repeat(300_000),
    });
    deepEqual([answer.status, answer.headers.get('x-b')], [201, '2']);
    deepEqual(await answer.json(), ['PUT', '/a', '1', '127.0.0.1', 'x'.repeat(300_000)]);
  });

  test('HEAD is GET without the body; 204 has no length', async () => {
    // As routers do, this handler gives a HEAD no body.
    const port = await start(async ({ method }) => new Response(method === 'HEAD' ? null : 'four'));
    const head = await fetch(`http://127.0.0.1:${port}/`, { method: 'HEAD' });
    deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '4', '']);
    const silent = await start(async () => new Response(null, { status: 204 }));
    const empty = await fetch(`http://127.0.0.1:${silent}/`, { method: 'DELETE' });
    deepEqual([empty.status, empty.headers.get('content-length')], [204, null]);
  });

  test('an address with a password is refused, not told to the log', async () => {
    const told: unknown[] = [];
    const listener = createManagementListener({
      handler: async () => new Response('ok'),
      failed: (error) => told.push(error),
    });
    open.push(listener);
    const port = await listener.listen({ host: '127.0.0.1', port: 0 });
    for (const headers of [{ host: 'a:hunter2@localhost' }, { host: 'a b' }]) {
      const { promise, resolve } = Promise.withResolvers<number | undefined>();
      get({ port, headers }, (answer) => resolve(answer.resume().statusCode));
      equal(await promise, 400);
    }
    deepEqual(told, []);
  });

  test('an answer that does not want the body is seen, also when reading stops in the middle', async () => {
    const early = await start(async () => new Response('no', { status: 401 }));
    const middle = await start(async (request) => {
      for await (const chunk of request.body ?? [])
        return new Response(`${chunk.length > 0}`, { status: 413 });
      return new Response(null);
    });
    const body = Buffer.alloc(4 * 1024 * 1024, 'x');
    for (const [port, status] of [
      [early, 401],
      [middle, 413],
    ]) {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body });
      equal(answer.status, status);
    }
  });

  test('a handler that breaks is a 500 without text; strange methods are refused', async () => {
    const port = await start(() => Promise.reject(new Error('secret')));
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    deepEqual([answer.status, await answer.text()], [500, '']);
    equal((await fetch(`http://127.0.0.1:${port}/`, { method: 'PROPFIND' })).status, 405);
  });

  test('HTTPS, with a new certificate for new connections', async () => {
    const port = await start(async () => new Response('ok'), await createPair({ name: 'one' }));
    equal((await post({ port })).servedBy, 'one');
    const next = await createPair({ name: 'two' });
    open.at(-1)?.setTls({ cert: next.cert, key: next.key });
    const answer = await post({ port });
    ok(answer.status === 200 && answer.servedBy === 'two');
  });
});

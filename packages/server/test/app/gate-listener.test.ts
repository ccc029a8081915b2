import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { createGateListener, type GateLimits, type GateListener } from '../../src/app/http/gate-listener.ts';
import type { GateRequest } from '../../src/gates/gate.ts';
import { createPair, type Authority } from './support/certificates.ts';
import { keepAliveAgent, post } from './support/post.ts';

const LIMITS: GateLimits = {
  maxBodyBytes: 64 * 1024,
  maxBufferedBytes: 1024 * 1024,
  maxConnections: 100,
  maxConcurrentReviews: 100,
  headersTimeout: 300,
  requestTimeout: 600,
  keepAliveTimeout: 95_000,
};

interface Started {
  readonly port: number;
  readonly listener: GateListener;
  readonly requests: GateRequest[];
  readonly refused: string[];
}

describe('gate listener', () => {
  let pair: Authority;
  const open: GateListener[] = [];

  before(async () => {
    pair = await createPair({ name: 'gate' });
  });
  after(() => Promise.all(open.map((listener) => listener.close(0))));

  async function start(
    limits: Partial<GateLimits> = {},
    {
      hold,
      ca,
      requireClientCert = false,
      isPlain = false,
    }: { hold?: Promise<void>; ca?: string; requireClientCert?: boolean; isPlain?: boolean } = {},
  ): Promise<Started> {
    const requests: GateRequest[] = [];
    const refused: string[] = [];
    const material = { cert: pair.cert, key: pair.key, ...(ca === undefined ? {} : { ca }) };
    const listener = createGateListener({
      limits: { ...LIMITS, ...limits },
      ...(isPlain ? {} : { tls: { material, minVersion: 'TLSv1.3', requireClientCert } }),
      refused: (code) => refused.push(code),
      failed: () => refused.push('failed'),
      now: () => performance.now(),
      knows: (path) => /^\/(admission\/)?(validate|mutate)(\/[a-z-]+)?$/.test(path),
      gate: async (request) => {
        requests.push(request);
        await hold;
        if (Buffer.from(request.body).toString() === 'throw') throw new Error('secret detail');
        return {
          status: 200,
          headers: { 'content-type': 'application/json' },
          body: `got ${request.body.length}`,
        };
      },
    });
    open.push(listener);
    const port = await listener.listen({ host: '127.0.0.1', port: 0, reusePort: false });
    return { port, listener, requests, refused };
  }

  test('passes route, query, headers and body on', async () => {
    const { port, requests } = await start();
    const answer = await post({
      port,
      path: '/admission/mutate/add-labels?timeout=5s',
      body: '{"a":1}',
      headers: { traceparent: '00-a-b-01' },
    });
    deepEqual([answer.status, answer.text, answer.headers['content-length']], [200, 'got 7', '5']);
    const [request] = requests;
    ok(request !== undefined && request.received <= performance.now());
    deepEqual(
      { ...request, body: String(request.body), received: 0 },
      {
        method: 'POST',
        path: '/admission/mutate/add-labels',
        query: 'timeout=5s',
        contentType: 'application/json',
        traceParent: '00-a-b-01',
        body: '{"a":1}',
        received: 0,
      },
    );
  });

  test('without a certificate: the same over plain HTTP, read fast or by node:http, and TLS is no request', async () => {
    const { port, requests, refused, listener } = await start({}, { isPlain: true });
    const url = `http://127.0.0.1:${port}/validate`;
    for (const body of ['{"a":1}', 'x'.repeat(60_000)]) {
      const answer = await fetch(url, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      deepEqual([answer.status, await answer.text()], [200, `got ${body.length}`]);
    }
    const chunks = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of ['{"a"', ':1}']) controller.enqueue(Buffer.from(piece));
        controller.close();
      },
    });
    const init = {
      method: 'POST',
      body: chunks,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
    };
    const answer = await fetch(url, init as RequestInit);
    deepEqual([answer.status, await answer.text()], [200, 'got 7']);
    equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 404);
    equal(requests.length, 3);
    deepEqual(refused, ['PC_NOT_FOUND']);
    await rejects(post({ port, body: '{}' }));
    listener.setTls({ cert: pair.cert, key: pair.key });
    listener.endConnections();
    const last = await fetch(url, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    equal(last.headers.get('connection'), 'close');
  });

  test('refuses other paths and methods', async () => {
    const { port, requests, refused } = await start();
    for (const path of ['/', '/admission/validate/', '/admission/validate/A', '/admission', '/healthz']) {
      equal((await post({ port, path })).status, 404, path);
    }
    const answer = await post({ port, method: 'PUT' });
    deepEqual([answer.status, answer.headers.allow], [405, 'POST']);
    equal(answer.headers['content-type'], 'application/problem+json');
    deepEqual(JSON.parse(answer.text), {
      status: 405,
      code: 'PC_METHOD',
      detail: 'a gate takes only POST',
      advice: 'use a method that `allow` names',
    });
    equal(requests.length, 0);
    deepEqual(new Set(refused), new Set(['PC_NOT_FOUND', 'PC_METHOD']));
  });

  test('keeps connections, and for longer than an API server does', async () => {
    const { port } = await start();
    const agent = keepAliveAgent(1);
    const first = await post({ port, agent });
    const second = await post({ port, agent });
    agent.destroy();
    deepEqual([first.reused, second.reused], [false, true]);
    equal(first.headers['keep-alive'], 'timeout=95');
  });

  test('speaks HTTP/1.1 only', async () => {
    const { port } = await start();
    const offered = (ALPNProtocols: string[]): Promise<TLSSocket> => handshake({ port, ALPNProtocols });
    const socket = await offered(['h2', 'http/1.1']);
    equal(socket.alpnProtocol, 'http/1.1');
    equal(socket.getProtocol(), 'TLSv1.3');
    socket.destroy();
    await rejects(offered(['h2']), /no application protocol/i);
    await rejects(handshake({ port, maxVersion: 'TLSv1.2' }), /protocol version/i);
  });

  test('refuses a body over the limit, announced or not, and lets the client see why', async () => {
    const { port, requests, refused } = await start();
    const body = Buffer.alloc(LIMITS.maxBodyBytes + 1, 'x');
    const announced = await post({ port, body });
    const chunked = await post({ port, body, headers: { 'transfer-encoding': 'chunked' } });
    for (const { status, text } of [announced, chunked]) {
      equal(status, 413);
      match(text, /"PC_REVIEW_SIZE".*larger than 65536 bytes/);
    }
    equal((await post({ port, body: body.subarray(1) })).text, 'got 65536');
    equal(requests.length, 1);
    deepEqual(refused, ['PC_REVIEW_SIZE', 'PC_REVIEW_SIZE']);
  });

  test('answers a client that waits for leave to send a body that is too large', async () => {
    const { port } = await start();
    const socket = await handshake({ port });
    socket.write(
      'POST /validate HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 99999999\r\n\r\n',
    );
    match(await readAll(socket), /^HTTP\/1\.1 413 [\s\S]*connection: close/i);
  });

  test('sheds reviews over the limit with 429 and goes on afterwards', async () => {
    const { promise: hold, resolve: release } = Promise.withResolvers<void>();
    const { port, requests, refused } = await start({ maxConcurrentReviews: 2 }, { hold });
    const agent = keepAliveAgent();
    const under = [post({ port, agent }), post({ port, agent })];
    while (requests.length < 2) await new Promise(setImmediate);
    const shed = await post({ port, agent });
    deepEqual([shed.status, shed.headers['retry-after']], [429, '1']);
    match(shed.text, /"PC_OVERLOAD"/);
    release();
    deepEqual(
      (await Promise.all(under)).map(({ status }) => status),
      [200, 200],
    );
    equal((await post({ port, agent })).status, 200);
    agent.destroy();
    deepEqual(refused, ['PC_OVERLOAD']);
  });

  test('sheds when the bodies together are too large', async () => {
    const { promise: hold, resolve: release } = Promise.withResolvers<void>();
    const { port, requests } = await start({ maxBufferedBytes: 100_000 }, { hold });
    const body = Buffer.alloc(60_000, 'x');
    const under = post({ port, body });
    while (requests.length < 1) await new Promise(setImmediate);
    equal((await post({ port, body })).status, 429);
    equal((await post({ port, body, headers: { 'transfer-encoding': 'chunked' } })).status, 429);
    release();
    equal((await under).status, 200);
    equal((await post({ port, body })).status, 200);
  });

  test('sends connections over the limit away', async () => {
    const { port } = await start({ maxConnections: 2 });
    const idle = [await handshake({ port }), await handshake({ port })];
    const agent = keepAliveAgent();
    const away = await post({ port, agent });
    agent.destroy();
    deepEqual([away.status, away.headers['retry-after'], away.headers.connection], [429, '1', 'close']);
    for (const socket of idle) socket.destroy();
    await Promise.all(idle.map((socket) => once(socket, 'close')));
    // The server hears of the end a moment later than the client.
    let status = 429;
    while (status === 429) ({ status } = await post({ port }));
    equal(status, 200);
  });

  test('a slow client is cut and holds nothing', async () => {
    const { port, requests } = await start({ maxConcurrentReviews: 1 });
    const headers = await handshake({ port });
    headers.write('POST /validate HTTP/1.1\r\nhost: a\r\n');
    match(await readAll(headers), /^HTTP\/1\.1 408 /);
    const body = await handshake({ port });
    body.write('POST /validate HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n12345');
    match(await readAll(body), /^HTTP\/1\.1 408 /);
    equal((await post({ port })).status, 200);
    equal(requests.length, 1);
  });

  test('a client that breaks off holds nothing', async () => {
    const { port, requests } = await start({ maxConcurrentReviews: 1 });
    for (let round = 0; round < 3; round += 1) {
      const socket = await handshake({ port });
      socket.write('POST /validate HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n12345');
      socket.destroy();
      await once(socket, 'close');
    }
    let status = 429;
    while (status === 429) ({ status } = await post({ port }));
    equal(status, 200);
    equal(requests.length, 1);
  });

  test('what is no TLS does no harm', async () => {
    const { port } = await start();
    const plain = connectTcp({ port, host: '127.0.0.1' });
    plain.on('error', () => undefined);
    plain.write('POST / HTTP/1.1\r\n\r\n');
    await once(plain, 'close');
    equal((await post({ port })).status, 200);
  });

  test('a handler that breaks gives 500 without its text', async () => {
    const { port, refused } = await start();
    const { status, text } = await post({ port, body: 'throw' });
    equal(status, 500);
    ok(!text.includes('secret') && text.includes('PC_INTERNAL'), text);
    deepEqual(refused, ['failed', 'PC_INTERNAL']);
  });

  test('client certificates: demanded, or only checked when shown', async () => {
    const authority = await createPair({ name: 'clients', isAuthority: true });
    const client = await createPair({ name: 'api-server', issuer: authority });
    const stranger = await createPair({ name: 'stranger' });
    const strict = await start({}, { ca: authority.cert, requireClientCert: true });
    equal((await post({ port: strict.port, cert: client.cert, key: client.key })).status, 200);
    await rejects(post({ port: strict.port }));
    await rejects(post({ port: strict.port, cert: stranger.cert, key: stranger.key }));
    const lenient = await start({}, { ca: authority.cert });
    equal((await post({ port: lenient.port, cert: client.cert, key: client.key })).status, 200);
    equal((await post({ port: lenient.port })).status, 200);
    await rejects(post({ port: lenient.port, cert: stranger.cert, key: stranger.key }));
    deepEqual([strict.requests.length, lenient.requests.length], [1, 2]);
  });

  test('a new certificate is for new connections; old ones go on', async () => {
    const { port, listener } = await start();
    const agent = keepAliveAgent(1);
    equal((await post({ port, agent })).servedBy, 'gate');
    const next = await createPair({ name: 'next' });
    listener.setTls({ cert: next.cert, key: next.key });
    const kept = await post({ port, agent });
    deepEqual([kept.servedBy, kept.reused], ['gate', true]);
    equal((await post({ port })).servedBy, 'next');
    agent.destroy();
  });

  test('drains: answers end their connections, what is under way is answered, then nothing is accepted', async () => {
    const { promise: hold, resolve: release } = Promise.withResolvers<void>();
    const { port, listener, requests } = await start({}, { hold });
    const agent = keepAliveAgent();
    const under = [post({ port, agent }), post({ port, agent })];
    while (requests.length < 2) await new Promise(setImmediate);
    listener.endConnections();
    const late = post({ port, agent });
    while (requests.length < 3) await new Promise(setImmediate);
    const closed = listener.close(5000);
    release();
    for (const answer of await Promise.all([...under, late])) {
      deepEqual([answer.status, answer.headers.connection], [200, 'close']);
    }
    await closed;
    agent.destroy();
    await rejects(post({ port }), { code: 'ECONNREFUSED' });
  });

  test('close cuts what does not end in time', async () => {
    const { port, listener, requests } = await start({}, { hold: new Promise(() => undefined) });
    const under = post({ port });
    under.catch(() => undefined);
    while (requests.length < 1) await new Promise(setImmediate);
    await listener.close(20);
    await rejects(under, /socket hang up/);
  });
});

async function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  return socket;
}

async function readAll(socket: TLSSocket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(socket, 'close');
  return text;
}

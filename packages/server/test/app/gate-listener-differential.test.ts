import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import * as fc from 'fast-check';
import { createGateListener, type GateListener } from '../../src/app/http/gate-listener.ts';
import { createRequestListener } from '../../src/app/http/request-listener.ts';
import { ReviewIntake } from '../../src/app/http/review-intake.ts';
import type { Gate } from '../../src/gates/gate.ts';
import { createPair, type Authority } from './support/certificates.ts';
import { clientStream, ODDITIES, type ClientStream } from './support/http-streams.ts';

/** Short, so that every connection comes to its end by itself. */
const LIMITS = {
  maxBodyBytes: 64 * 1024,
  maxBufferedBytes: 100 * 1024 * 1024,
  maxConnections: 10_000,
  maxConcurrentReviews: 10_000,
  headersTimeout: 400,
  requestTimeout: 800,
  keepAliveTimeout: 200,
};
const BATCHES = 3;
const STREAMS = 80;

const now = (): number => performance.now();
const knows = (path: string): boolean => /^\/(validate|mutate)(\/[a-z-]+)?$/.test(path);

/** Answers with all that it saw, so that equal answers mean equal requests. */
const gate: Gate = async ({ method, path, query, contentType, traceParent, body }) => {
  if (Buffer.from(body).toString() === 'throw') throw new Error('asked for');
  const digest = createHash('sha256').update(body).digest('hex');
  return {
    status: 200,
    headers: { 'content-type': 'text/plain' },
    body: JSON.stringify({
      method,
      path,
      query,
      contentType,
      traceParent,
      length: body.length,
      digest,
      é: 1,
    }),
  };
};
const slowGate: Gate = async (request) => {
  await delay(1);
  return gate(request);
};

describe('connections that are read by us and by node:http', () => {
  let pair: Authority;
  let listener: GateListener;
  const references: Server[] = [];
  let ours = 0;
  let theirs = 0;
  let inOrder = 0;
  const oneByOne = createTurns();

  before(async () => {
    pair = await createPair({ name: 'gate' });
    listener = createGateListener({
      limits: LIMITS,
      gate: slowGate,
      knows,
      refused: () => undefined,
      failed: () => undefined,
      now,
      tls: { material: { cert: pair.cert, key: pair.key }, minVersion: 'TLSv1.3', requireClientCert: false },
    });
    ours = await listener.listen({ host: '127.0.0.1', port: 0, reusePort: false });
    theirs = await startReference(slowGate);
    inOrder = await startReference(gate);
  });
  after(async () => {
    await listener.close(0);
    for (const reference of references) {
      reference.close();
      reference.closeAllConnections();
    }
  });

  /** The same rules, and every connection is read by node:http. */
  async function startReference(asked: Gate): Promise<number> {
    const { onRequest, onCheckContinue } = createRequestListener({
      intake: new ReviewIntake({
        limits: LIMITS,
        gate: asked,
        knows,
        refused: () => undefined,
        failed: () => undefined,
      }),
      maxBodyBytes: LIMITS.maxBodyBytes,
      now,
      isOverflow: () => false,
    });
    const { headersTimeout, requestTimeout, keepAliveTimeout } = LIMITS;
    const reference = createServer(
      {
        cert: pair.cert,
        key: pair.key,
        headersTimeout,
        requestTimeout,
        keepAliveTimeout,
        connectionsCheckingInterval: 400,
      },
      onRequest,
    );
    references.push(reference);
    reference.on('checkContinue', onCheckContinue);
    reference.listen(0, '127.0.0.1');
    await once(reference, 'listening');
    return (reference.address() as AddressInfo).port;
  }

  /**
   * What both say must be the same, with one difference: garbage that a client sends before it has the answer to a good request
   * makes node:http break off without that answer, and we give it. Then node:http must say the same when it gets the bytes one by
   * one, so that it can answer before the next one comes. A connection that is cut may take an answer with it, on either side:
   * hence more than one look.
   */
  async function compare(stream: ClientStream): Promise<void> {
    for (let look = 1; ; look += 1) {
      const [our, their] = await Promise.all([talk(ours, stream), talk(theirs, stream)]);
      if (our === their) return;
      const ordered = await talk(inOrder, bytewise(stream), oneByOne);
      if (withoutLastWord(our) === withoutLastWord(ordered)) return;
      if (look === 4) equal(our, ordered, describeStream(stream));
    }
  }

  test('each oddity, and a good request after it', { timeout: 60_000 }, async () => {
    const good = Buffer.from('POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}');
    for (const waits of [true, false]) {
      const streams = ODDITIES.map((bytes) => [
        { bytes, cuts: [], waits },
        { bytes: good, cuts: [], waits: true },
      ]);
      await Promise.all(streams.map((messages) => compare({ messages })));
    }
  });

  test('whatever a client sends', { timeout: 120_000 }, async () => {
    const streams = fc.array(clientStream, { minLength: STREAMS, maxLength: STREAMS });
    await fc.assert(
      fc.asyncProperty(streams, async (batch) => void (await Promise.all(batch.map(compare)))),
      { seed: 20261121, numRuns: BATCHES, endOnFailure: true },
    );
    equal(listener.underWay, 0);
  });

  test('a request that is cut anywhere', { timeout: 60_000 }, async () => {
    const bytes = Buffer.from(
      'POST /validate?timeout=5s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello',
    );
    const single = (cuts: readonly number[]): ClientStream => ({ messages: [{ bytes, cuts, waits: true }] });
    const cut = Array.from(bytes, (_, at) => single([at / bytes.length]));
    const everywhere = single(Array.from(bytes, (_, at) => at / bytes.length));
    await Promise.all([...cut, everywhere].map(compare));
  });

  test('two requests at once, cut anywhere', { timeout: 60_000 }, async () => {
    const one = (body: string): string =>
      `POST /validate HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const bytes = Buffer.from(one('first') + one('second'));
    const streams = Array.from(bytes, (_, at) => ({
      messages: [{ bytes, cuts: [at / bytes.length], waits: true }],
    }));
    await Promise.all(streams.map(compare));
    const text = await talk(ours, { messages: [{ bytes, cuts: [], waits: true }] });
    match(text, /"length":5,[\s\S]*"length":6,/);
  });

  test('a thousand that break off leave nothing behind', { timeout: 60_000 }, async () => {
    const whole = Buffer.from(
      'POST /validate HTTP/1.1\r\nHost: a\r\nContent-Length: 400\r\n\r\n'.padEnd(457, 'x') +
        'POST /validate HTTP/1.1\r\nHost',
    );
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const socket = await open(ours);
          socket.write(whole.subarray(0, ((round * 50 + index) % whole.length) + 1));
          if (index % 3 > 0) await new Promise(setImmediate);
          if (index % 2 > 0) socket.destroy();
          else socket.end();
          await whenClosed(socket.resume());
        }),
      );
    }
    while (listener.underWay > 0) await delay(5);
    await listener.close(10_000);
    ok(listener.underWay === 0);
    deepEqual(
      process.getActiveResourcesInfo().filter((kind) => kind === 'TLSWrap'),
      [],
    );
  });
});

/** What node:http says of itself before it breaks off; it does not when the answer before it is still on its way. */
function withoutLastWord(text: string): string {
  return text.replace(/HTTP\/1\.1 4\d\d [\w ]+\r\nConnection: close\r\n\r\n$/, '');
}

function describeStream({ messages }: ClientStream): string {
  return JSON.stringify(
    messages.map(({ bytes, ...rest }) => [bytes.toString('latin1').replaceAll(/(.)\1{50,}/g, '$1…'), rest]),
  );
}

/** Byte by byte, but for the middle of what is long. */
function bytewise({ messages }: ClientStream): ClientStream {
  return {
    messages: messages.map(({ bytes, waits }) => {
      const text = bytes.toString('latin1');
      const long = /(.)\1{100,}/s.exec(text);
      const from = (long?.index ?? bytes.length) + 20;
      const to = (long === null ? 0 : long.index + long[0].length) - 20;
      const at = Array.from(bytes, (_, index) => index).filter((index) => index < from || index > to);
      return { bytes, waits, cuts: at.map((index) => index / bytes.length) };
    }),
  };
}

async function open(port: number): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  // Otherwise small pieces would be gathered on their way.
  socket.setNoDelay(true);
  return socket;
}

/** `once` would reject when the connection was reset. */
function whenClosed(socket: TLSSocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once('close', () => resolve());
  return promise;
}

type Turns = (act: () => Promise<void>) => Promise<void>;

/** One act after the other. */
function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  return (act) => (last = last.then(act));
}

/** Says what the stream has to say, and gives all that is answered until the connection ends. */
async function talk(
  port: number,
  { messages }: ClientStream,
  inTurn: Turns = (act) => act(),
): Promise<string> {
  const socket = await open(port);
  let text = '';
  let heard = Promise.withResolvers<void>();
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    heard.resolve();
  });
  const closed = whenClosed(socket);
  void closed.then(() => heard.resolve());
  for (const { bytes, cuts, waits } of messages) {
    heard = Promise.withResolvers<void>();
    if (!socket.writable) break;
    await inTurn(() => send(socket, bytes, cuts));
    if (waits && !socket.destroyed) await heard.promise;
  }
  await closed;
  return text.replaceAll(/^Date: .*$/gm, 'Date: …');
}

async function send(socket: TLSSocket, bytes: Buffer, cuts: readonly number[]): Promise<void> {
  const ends = [...cuts.map((cut) => Math.round(cut * bytes.length)).sort((a, b) => a - b), bytes.length];
  let start = 0;
  for (const end of ends) {
    if (!socket.writable) return;
    if (end > start) socket.write(bytes.subarray(start, end));
    start = end;
    // Turns of the event loop for the server to read it, for us to hear what it says, and some to spare.
    for (let turn = 0; turn < 4; turn += 1) await new Promise(setImmediate);
  }
}

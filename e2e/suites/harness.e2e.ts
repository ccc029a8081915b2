import { deepEqual, equal, match, notDeepEqual, ok, rejects } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { startBalancer, type Backend } from '../support/balancer.ts';
import { startFaultProxy, type FaultProxy, type FaultProxyOptions } from '../support/fault-proxy.ts';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-ports.ts';
import { startChildProcess } from '../support/child-process.ts';
import { collectionPath, namespace, validatingWebhookConfiguration } from '../support/kubernetes-objects.ts';
import { startPortcullis } from '../support/portcullis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

// What the other suites stand on, as far as it needs no API server.
describe('balancer', () => {
  test('new connections follow the probes, open ones stay', async (t) => {
    const [a, b] = await Promise.all([startNamed('a', t), startNamed('b', t)]);
    const balancer = await startBalancer({ backends: [a, b], probeEvery: 10 });
    t.after(() => balancer.close());
    deepEqual(balancer.rotation(), ['a', 'b']);
    const asked = [await ask(balancer.port), await ask(balancer.port), await ask(balancer.port)];
    deepEqual(asked, ['a', 'b', 'a']);

    const kept = connect(balancer.port, '127.0.0.1');
    equal(await line(kept), 'b');
    equal(balancer.connections('b'), 1);
    b.ready = false;
    await waitUntil(() => balancer.rotation().join() === 'a', { what: 'b to leave' });
    deepEqual([await ask(balancer.port), await ask(balancer.port)], ['a', 'a']);
    kept.write('still there?\n');
    equal(await line(kept), 'b: still there?');

    balancer.remove('a');
    await rejects(ask(balancer.port), { code: 'ECONNRESET' });
    equal(balancer.counts().unserved, 1);
    b.ready = true;
    await waitUntil(() => balancer.rotation().join() === 'b', { what: 'b to come back' });
    equal(await ask(balancer.port), 'b');
    kept.end();
    await waitUntil(() => balancer.connections('b') === 0, { what: 'the kept connection to close' });
    deepEqual(balancer.counts(), { accepted: 8, unserved: 1, refused: 0 });
  });

  test('counts a backend that refuses, and passes large answers on whole', async (t) => {
    const large = 'x'.repeat(8 * 1024 * 1024);
    const server = createServer((socket) => socket.end(large)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const balancer = await startBalancer({
      backends: [{ name: 'gone', port: await freePort(), probe: async () => true }],
    });
    t.after(() => balancer.close());
    await rejects(ask(balancer.port), { code: 'ECONNRESET' });
    equal(balancer.counts().refused, 1);
    balancer.remove('gone');
    await balancer.add({ name: 'large', port: portOf(server), probe: async () => true });
    const client = connect(balancer.port, '127.0.0.1').setEncoding('utf8');
    let received = 0;
    for await (const chunk of client) received += String(chunk).length;
    equal(received, large.length);
  });
});

describe('fault proxy', () => {
  const sent = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));

  /** A server that sends these bytes to everyone who ended, behind a proxy. */
  async function behind(t: TestContext, options: Partial<FaultProxyOptions> = {}): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined).resume();
      socket.once('end', () => socket.end(sent));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = await startFaultProxy({ target: portOf(server), ...options });
    t.after(() => proxy.close());
    t.after(() => server.close());
    return proxy;
  }

  test('passes everything when told nothing, in both directions and half-open', async (t) => {
    const proxy = await behind(t);
    deepEqual(await fetchAll(proxy.port), { bytes: sent, reset: false });
    await waitUntil(() => proxy.connections() === 0, { what: 'the connection to close' });
    const { accepted, refused, ...faults } = proxy.counts();
    deepEqual([accepted, refused, new Set(Object.values(faults))], [1, 0, new Set([0])]);
  });

  test('a planned fault comes after the same number of bytes for the same seed', async (t) => {
    const lengths = async (seed: number, kind: 'cut' | 'half-close'): Promise<number[]> => {
      const proxy = await behind(t, { random: { seed, meanBytes: 20_000, kinds: [kind] } });
      const results = [];
      for (let round = 0; round < 5; round += 1) results.push(await fetchAll(proxy.port));
      const whole = results.filter(({ bytes }) => bytes.equals(sent)).length;
      equal(results.filter(({ reset }) => reset).length, kind === 'cut' ? 5 - whole : 0);
      equal(proxy.counts()[kind], 5 - whole);
      for (const { bytes } of results) deepEqual(bytes, sent.subarray(0, bytes.length));
      return results.map(({ bytes }) => bytes.length);
    };
    const first = await lengths(7, 'half-close');
    deepEqual(await lengths(7, 'half-close'), first);
    equal(new Set(first).size > 2, true, first.join());
    notDeepEqual(await lengths(8, 'half-close'), first);
    // A reset may overtake bytes that are on their way, so at most as many arrive.
    const cut = await lengths(7, 'cut');
    ok(
      cut.every((length, index) => length <= (first[index] ?? 0)),
      `${cut.join()} and ${first.join()}`,
    );
  });

  test('repeats and swaps bytes', async (t) => {
    const random = { seed: 1, meanBytes: 1000 };
    const repeated = await fetchAll((await behind(t, { random: { ...random, kinds: ['repeat'] } })).port);
    ok(repeated.bytes.length > sent.length);
    const swapped = await fetchAll((await behind(t, { random: { ...random, kinds: ['swap'] } })).port);
    equal(swapped.bytes.length, sent.length);
    notDeepEqual(swapped.bytes, sent);
  });

  test('holds bytes back, stalls, slows down, refuses', async (t) => {
    const proxy = await behind(t);
    proxy.hold();
    const waiting = fetchAll(proxy.port);
    await waitUntil(() => proxy.connections() === 1, { what: 'the held connection' });
    equal(await Promise.race([waiting, sleep(100, 'nothing')]), 'nothing');
    proxy.resume();
    deepEqual(await waiting, { bytes: sent, reset: false });

    const stalled = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    await waitUntil(() => proxy.connections() === 1, { what: 'the connection to stall' });
    equal(proxy.inject('stall'), 1);
    const answer = new Promise((resolve) => {
      stalled
        .resume()
        .on('error', () => undefined)
        .once('close', () => resolve('closed'));
    });
    stalled.end();
    equal(await Promise.race([answer, sleep(100, 'nothing')]), 'nothing');
    proxy.inject('cut');
    equal(await answer, 'closed');

    proxy.setPace({ delay: 30, bytesPerSecond: 400_000 });
    const before = performance.now();
    deepEqual(await fetchAll(proxy.port), { bytes: sent, reset: false });
    ok(performance.now() - before >= 200, 'the pace is a lower bound');

    proxy.accept(false);
    equal((await fetchAll(proxy.port)).reset, true);
    equal(proxy.counts().refused, 1);
  });
});

describe('certificates', () => {
  test('a chain with an intermediate is trusted by the root, for server and client', async (t) => {
    const root = await createAuthority({ name: 'root' });
    const intermediate = await createAuthority({ name: 'intermediate', parent: root });
    const identity = await issueServerCertificate(intermediate);
    const client = await issueClientCertificate(intermediate, {
      commonName: 'alice',
      organizations: ['devs', 'ops'],
    });
    const server = createTlsServer({
      cert: identity.certificatePem,
      key: identity.keyPem,
      ca: root.pem,
      requestCert: true,
      rejectUnauthorized: true,
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const subjects: unknown[] = [];
    server.on('secureConnection', (socket: TLSSocket) => {
      const { subject } = socket.getPeerCertificate();
      subjects.push({ ...subject });
      socket.end();
    });
    const options = { port: portOf(server), host: '127.0.0.1', ca: root.pem };
    const socket = connectTls({ ...options, cert: client.certificatePem, key: client.keyPem });
    await once(socket, 'secureConnect');
    equal(socket.getPeerCertificate().serialNumber, identity.serialNumber.toUpperCase());
    equal(socket.getPeerCertificate().subjectaltname, 'DNS:localhost, IP Address:127.0.0.1');
    socket.resume();
    await once(socket, 'close');
    deepEqual(subjects, [{ CN: 'alice', O: ['devs', 'ops'] }]);

    const other = await createAuthority({ name: 'other' });
    const distrustful = connectTls({ ...options, ca: other.pem });
    await rejects(once(distrustful, 'secureConnect'), /unable to (get|verify)/);
  });

  test('an expired certificate is refused', async (t) => {
    const root = await createAuthority();
    const identity = await issueServerCertificate(root, { notAfter: new Date(Date.now() - 1000) });
    const server = createTlsServer({ cert: identity.certificatePem, key: identity.keyPem }).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    t.after(() => server.close());
    const socket = connectTls({ port: portOf(server), host: '127.0.0.1', ca: root.pem });
    await rejects(once(socket, 'secureConnect'), { code: 'CERT_HAS_EXPIRED' });
  });
});

describe('child processes', () => {
  test('end by SIGTERM, and by SIGKILL when they do not', async () => {
    const directory = await createWorkDirectory('harness');
    const start = (name: string, script: string): ReturnType<typeof startChildProcess> =>
      startChildProcess({
        command: process.execPath,
        args: ['--eval', script],
        logFile: join(directory, `${name}.log`),
      });
    const polite = await start(
      'polite',
      "process.on('SIGTERM', () => process.exit(3)); console.log('up'); setInterval(Date, 1e9)",
    );
    await waitUntil(() => polite.logs() === 'up\n', { what: 'the polite child' });
    equal(polite.exit(), undefined);
    deepEqual(await polite.stop(), { code: 3, signal: null });
    const stubborn = await start(
      'stubborn',
      "process.on('SIGTERM', () => {}); console.log('up'); setInterval(Date, 1e9)",
    );
    await waitUntil(() => stubborn.logs() === 'up\n', { what: 'the stubborn child' });
    deepEqual(await stubborn.stop(100), { code: null, signal: 'SIGKILL' });
    deepEqual(await stubborn.stop(), { code: null, signal: 'SIGKILL' });
    await rejects(
      startChildProcess({ command: '/no/such/command', args: [], logFile: join(directory, 'none.log') }),
      /cannot start `\/no\/such\/command`/,
    );
  });

  for (const end of ["throw new Error('boom')", "process.kill(process.pid, 'SIGTERM')", '']) {
    test(`do not outlive the test process that ends by ${end || 'having nothing left to do'}`, async () => {
      const directory = await createWorkDirectory('harness');
      const module = JSON.stringify(new URL('../support/child-process.ts', import.meta.url).href);
      const file = join(directory, 'parent.mjs');
      await writeFile(
        file,
        `import { startChildProcess } from ${module};
         const child = await startChildProcess({
           command: process.execPath,
           args: ['--eval', 'setInterval(Date, 1e9)'],
           logFile: ${JSON.stringify(join(directory, 'child.log'))},
         });
         process.stdout.write(String(child.pid));
         ${end === '' ? '' : `setImmediate(() => { ${end} });`}`,
      );
      const parent = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'ignore'] });
      let pid = '';
      parent.stdout.setEncoding('utf8').on('data', (text: string) => (pid += text));
      await once(parent, 'close');
      match(pid, /^\d+$/);
      await waitUntil(() => !isAlive(Number(pid)), { what: `process ${pid} to end` });
    });
  }
});

test('a server that does not start is reported with the end of its log', async () => {
  const directory = await createWorkDirectory('harness');
  const starting = startPortcullis({
    directory,
    config: 'no-such-key: true\n',
    managementPort: await freePort(),
    args: ['--no-such-option'],
  });
  await rejects(starting, (error: Error) => {
    match(error.message, /^portcullis did not become ready; the end of its log:\n./);
    ok(error.cause instanceof Error);
    match(error.cause.message, /^it ended with exit code [1-9]/);
    return true;
  });
});

test('object paths are those of the API', () => {
  equal(collectionPath(namespace('a')), '/api/v1/namespaces');
  const webhook = validatingWebhookConfiguration({ name: 'w', url: 'https://127.0.0.1/', caPem: '' });
  equal(collectionPath(webhook), '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations');
  const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { namespace: 'a' } };
  equal(collectionPath(policy), '/apis/networking.k8s.io/v1/namespaces/a/networkpolicies');
  const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { namespace: 'a' } };
  equal(collectionPath(ingress), '/apis/networking.k8s.io/v1/namespaces/a/ingresses');
  const gateway = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { namespace: 'a' },
  };
  equal(collectionPath(gateway), '/apis/gateway.networking.k8s.io/v1/namespaces/a/gateways');
});

test('waiting gives up with what it waited for and the last error', async () => {
  const waiting = waitUntil(() => Promise.reject(new Error('not yet')), {
    what: 'the end',
    within: 20,
    every: 5,
  });
  await rejects(waiting, (error: Error) => {
    equal(error.message, 'gave up after 20 ms waiting for the end');
    ok(error.cause instanceof Error);
    equal(error.cause.message, 'not yet');
    return true;
  });
});

interface NamedBackend extends Backend {
  ready: boolean;
}

/** A backend that says its name, then echoes lines with its name before them. */
async function startNamed(name: string, t: { after(fn: () => void): void }): Promise<NamedBackend> {
  const server = createServer((socket) => {
    socket.write(`${name}\n`);
    socket.setEncoding('utf8').on('data', (text: string) => socket.write(`${name}: ${text}`));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const backend: NamedBackend = { name, port: portOf(server), ready: true, probe: async () => backend.ready };
  return backend;
}

function portOf(server: Server): number {
  const address = server.address();
  ok(typeof address === 'object' && address !== null);
  return address.port;
}

async function ask(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const answer = await line(socket);
  socket.end();
  await once(socket, 'close');
  return answer;
}

/** Ends its own side at once and reads to the end. */
async function fetchAll(port: number): Promise<{ readonly bytes: Buffer; readonly reset: boolean }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const chunks: Buffer[] = [];
  let reset = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {
    reset = true;
  });
  socket.end();
  await once(socket, 'close').catch(() => undefined);
  if (!socket.closed) await new Promise((resolve) => void socket.once('close', resolve));
  return { bytes: Buffer.concat(chunks), reset };
}

/** One line that arrives in one piece, without its end. */
async function line(socket: Socket): Promise<string> {
  const [data] = await once(socket, 'data');
  return String(data).trimEnd();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // An orphan that ended stays visible until the first process of the container reaps it, which some never do.
  const status = `/proc/${pid}/status`;
  return !(existsSync(status) && readFileSync(status, 'utf8').includes('State:	Z'));
}

import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { createServer } from 'node:net';
import { afterEach, before, describe, test } from 'node:test';
import { createCapabilities } from '../../src/capabilities/create-capabilities.ts';
import { createClock } from '../../src/app/clock.ts';
import { createHost } from '../../src/app/create-host.ts';
import {
  createThreadPool,
  type ThreadPool,
  type ThreadPoolOptions,
} from '../../src/app/threads/thread-pool.ts';
import type { PolicySet } from '../../src/chain/policy-set.ts';
import { isFault } from '../../src/kernel/fault.ts';
import { noLog } from '../support/test-host.ts';
import { makePolicy } from '../support/make-policy.ts';
import { createPair, type Authority } from './support/certificates.ts';
import { keepAliveAgent, post } from './support/post.ts';

const ENTRY = new URL('./support/echo-thread.ts', import.meta.url);

interface Told {
  readonly threadId: number;
  readonly revision: number;
}

describe('gate threads', { timeout: 60_000 }, () => {
  let pair: Authority;
  let pools: ThreadPool[] = [];
  let logged: string[] = [];
  let handled = 0;

  before(async () => {
    pair = await createPair({ name: 'first' });
  });
  afterEach(async () => {
    await Promise.all(pools.map((pool) => pool.close(0)));
    [pools, logged, handled] = [[], [], 0];
  });

  function createPool(options: Partial<ThreadPoolOptions> = {}): ThreadPool {
    const pool = createThreadPool({
      entry: ENTRY,
      threadData: (material) => ({ material }),
      threads: 2,
      host: '127.0.0.1',
      port: 0,
      tls: { cert: pair.cert, key: pair.key },
      clock: createClock(),
      log: { enabled: () => true, log: (_level, message) => logged.push(message) },
      report: (batch) => {
        handled += (batch as { handled: number }).handled;
      },
      capabilities: createCapabilities({}, createHost(createClock(), noLog)),
      timing: { heartbeat: 20, maxMissed: 25, backoff: { first: 10, last: 50 } },
      ...options,
    });
    pools.push(pool);
    return pool;
  }

  async function started(
    options: Partial<ThreadPoolOptions> = {},
  ): Promise<{ pool: ThreadPool; port: number }> {
    const pool = createPool(options);
    pool.install(emptySet(1));
    const port = await pool.listening;
    ok(!isFault(port), isFault(port) ? port.message : '');
    return { pool, port };
  }

  async function ask(port: number, body = ''): Promise<Told & { servedBy: string }> {
    const { status, text, servedBy } = await post({ port, body });
    equal(status, 200, text);
    return { ...(JSON.parse(text) as Told), servedBy };
  }

  /** Asks until every thread has answered. The kernel spreads connections by their source port. */
  async function askAll(port: number, threads = 2): Promise<readonly Told[]> {
    const seen = new Map<number, Told>();
    while (seen.size < threads) {
      const told = await ask(port);
      seen.set(told.threadId, told);
    }
    return [...seen.values()];
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  test('share one port, also a free one; nothing is answered before the first set', async () => {
    const pool = createPool();
    deepEqual(pool.state(), { wanted: 2, alive: 0, replaced: 0, revision: 0 });
    pool.install(emptySet(7));
    equal(await pool.inForce(7), true);
    const port = await pool.listening;
    ok(!isFault(port) && port > 0);
    deepEqual(
      (await askAll(port)).map(({ revision }) => revision),
      [7, 7],
    );
    deepEqual(pool.state(), { wanted: 2, alive: 2, replaced: 0, revision: 7 });
  });

  test('a set is in force when every thread has it; one that cannot be installed is not', async () => {
    const { pool, port } = await started();
    pool.install(emptySet(2));
    equal(await pool.inForce(2), true);
    deepEqual(
      (await askAll(port)).map(({ revision }) => revision),
      [2, 2],
    );
    const prepared = { programs: [{ engine: 'plugin', module: 'plugin:1' }], fingerprint: '1' } as const;
    pool.install({ ...emptySet(3), policies: [{ policy: makePolicy('p'), ...prepared }] });
    const waiting = pool.inForce(3);
    await ask(port);
    equal(pool.state().revision, 2);
    // As a change and as a whole.
    await until(() => logged.length === 4);
    await pool.close(0);
    equal(await waiting, false);
  });

  for (const end of ['die', 'throw', 'hang']) {
    test(`a thread that has to ${end} is replaced by one with the newest set and certificate`, async () => {
      const { pool, port } = await started();
      const next = await createPair({ name: 'next' });
      pool.setTls({ cert: next.cert, key: next.key });
      pool.install(emptySet(5));
      await pool.inForce(5);
      const old = new Set((await askAll(port)).map(({ threadId }) => threadId));
      await post({ port, body: end }).catch(() => undefined);
      await until(() => pool.state().replaced === 1 && pool.state().alive === 2);
      const now = await askAll(port);
      deepEqual(
        now.map(({ revision }) => revision),
        [5, 5],
      );
      equal(now.filter(({ threadId }) => old.has(threadId)).length, 1);
      equal((await ask(port)).servedBy, 'next');
      ok(logged.includes('a gate thread died and is replaced'));
      equal(logged.includes('a gate thread does not answer and is ended'), end === 'hang');
    });
  }

  test('the other threads answer while one hangs', async () => {
    const { pool, port } = await started({
      timing: { heartbeat: 20, maxMissed: 100, backoff: { first: 10, last: 50 } },
    });
    const hanging = post({ port, body: 'hang' }).then(String, (error: Error) => error.message);
    const agent = keepAliveAgent(1);
    // A connection that the hanging thread got waits for ever; another try gets another thread.
    let told: Told | undefined;
    while (told === undefined) {
      const answer = await post({ port, agent, signal: AbortSignal.timeout(100) }).catch(() => undefined);
      told = answer === undefined ? undefined : (JSON.parse(answer.text) as Told);
    }
    equal(pool.state().replaced, 0);
    for (let round = 0; round < 20; round += 1) equal((await post({ port, agent })).status, 200);
    agent.destroy();
    match(await hanging, /hang up|ECONNRESET/);
  });

  test('a certificate is exchanged under load without a failed request', async () => {
    const { pool, port } = await started();
    const agents = [keepAliveAgent(4), undefined];
    const seen = new Set<string>();
    const load = { over: false };
    const clients = Array.from({ length: 8 }, async (_, index) => {
      const agent = agents[index % 2];
      let count = 0;
      for (; !load.over; count += 1) {
        const answer = await post({ port, ...(agent === undefined ? {} : { agent }) });
        equal(answer.status, 200);
        seen.add(answer.servedBy);
      }
      return count;
    });
    for (const name of ['second', 'third', 'fourth']) {
      const next = await createPair({ name });
      pool.setTls({ cert: next.cert, key: next.key });
      await until(() => seen.has(name));
    }
    load.over = true;
    const counts = await Promise.all(clients);
    ok(counts.every((count) => count > 0));
    agents[0]?.destroy();
  });

  test('threads that die as they start are given up', async () => {
    const pool = createPool({ threadData: (material) => ({ material, broken: true }) });
    pool.install(emptySet(1));
    const fault = await pool.listening;
    ok(isFault(fault));
    deepEqual(
      [fault.code, fault.message],
      ['PC_THREAD', 'gate threads die as they start: broken from the start'],
    );
  });

  test('a port that is taken is said', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.on('listening', resolve));
    const { port } = taken.address() as { port: number };
    const pool = createPool({ port });
    pool.install(emptySet(1));
    const fault = await pool.listening;
    ok(isFault(fault));
    equal(fault.code, 'PC_LISTEN');
    match(fault.message, new RegExp(`^cannot listen on 127.0.0.1:${port}: listen EADDRINUSE`));
    taken.close();
  });

  test('drains: requests under way are answered, the last report arrives, nothing is accepted any more', async () => {
    const { pool, port } = await started();
    const under = Array.from({ length: 10 }, () => post({ port, body: 'wait' }));
    // Accepted, all of them: the connection of each stands when its first bytes are sent.
    await askAll(port);
    await Promise.all([pool.close(5000), ...under]);
    for (const { status } of await Promise.all(under)) equal(status, 200);
    ok(handled >= 12, String(handled));
    await rejects(post({ port }), { code: 'ECONNREFUSED' });
    deepEqual(logged, []);
  });
});

function emptySet(revision: number): PolicySet {
  return { revision, policies: [], exceptions: [], modules: new Map() };
}

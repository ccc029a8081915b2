import { parentPort, threadId, workerData } from 'node:worker_threads';
import { createClock } from '../../../src/app/clock.ts';
import { createGateListener } from '../../../src/app/http/gate-listener.ts';
import { serveThread } from '../../../src/app/threads/serve-thread.ts';
import type { TlsMaterial } from '../../../src/app/tls/tls-material.ts';

/** A gate thread whose reviews say what shall happen to it. */
const { material, broken } = workerData as { material: TlsMaterial; broken?: boolean };
if (broken === true) throw new Error('broken from the start');
let revision = 0;
let handled = 0;

const listener = createGateListener({
  limits: {
    maxBodyBytes: 1024,
    maxBufferedBytes: 1024 * 1024,
    maxConnections: 1000,
    maxConcurrentReviews: 1000,
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 95_000,
  },
  tls: { material, minVersion: 'TLSv1.3', requireClientCert: false },
  refused: () => undefined,
  failed: () => undefined,
  now: () => performance.now(),
  knows: () => true,
  gate: async ({ body }) => {
    const wish = Buffer.from(body).toString();
    if (wish === 'die') setImmediate(() => process.exit(1));
    if (wish === 'throw') setImmediate(() => Promise.reject(new Error('wished for')));
    if (wish === 'hang') for (;;);
    if (wish === 'wait') await new Promise((resolve) => setTimeout(resolve, 50));
    handled += 1;
    const headers = { 'content-type': 'application/json' };
    return { status: 200, headers, body: JSON.stringify({ threadId, revision }) };
  },
});

if (parentPort !== null) {
  serveThread(parentPort, {
    listener,
    clock: createClock(),
    setNamespaces: () => undefined,
    answered: () => undefined,
    install: async (set) => {
      if (set.policies.length > 0) throw new Error('cannot open');
      ({ revision } = set);
    },
    flush: () => {
      const batch = handled === 0 ? undefined : { handled };
      handled = 0;
      return batch;
    },
    failed: () => undefined,
  });
}

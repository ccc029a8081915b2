import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import type { FaultProxy } from '../../../../../e2e/support/fault-proxy.ts';
import type { FaultKind } from '../../../../../e2e/support/faulty-connection.ts';
import type { FakeKubeServer, RequestFault } from './fake-kube-server.ts';
import type { BodyFault } from './faulty-writer.ts';

export interface Parts {
  readonly server: FakeKubeServer;
  readonly proxy: FaultProxy;
}

/** Something that happens to the server, the network, or the objects. */
export interface Step {
  readonly name: string;
  /** What a failed run prints. */
  readonly detail?: unknown;
  run(parts: Parts): unknown;
}

const errorEvent = (code: number): string =>
  JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code, message: 'injected' } });

const FIXED: readonly Step[] = [
  { name: 'cut', run: ({ server }) => server.cut() },
  { name: 'end', run: ({ server }) => server.endWatches() },
  { name: 'compact', run: ({ server }) => server.store.compact() },
  { name: 'bookmark', run: ({ server }) => server.sendBookmarks() },
  { name: 'garbage', run: ({ server }) => server.sendLine('{"type":"ADDED","object":{"metadata":') },
  { name: 'expired event', run: ({ server }) => server.sendLine(errorEvent(410)) },
  { name: 'error event', run: ({ server }) => server.sendLine(errorEvent(500)) },
  { name: 'outage', run: ({ server }) => away(server, 10) },
  {
    name: 'replace',
    async run({ server }) {
      // Longer than any API server takes to come up in the place of another, at the speed of the test.
      await away(server, 40);
      server.store.replace({ 'a/1': { text: 'of another server' }, 'c/1': { text: 'new' } });
    },
  },
];

async function away(server: FakeKubeServer, milliseconds: number): Promise<void> {
  server.listening = false;
  server.cut();
  await sleep(milliseconds);
  server.listening = true;
}

const key = fc.constantFrom('a/1', 'a/2', 'b/1', 'b/2', 'b/3');
const put = fc.record({ key, text: fc.string({ unit: 'grapheme', maxLength: 20 }) }).map((detail): Step => ({
  name: 'put',
  detail,
  run: ({ server }) => server.store.put(detail.key, { data: { text: detail.text } }),
}));
const remove = key.map((detail): Step => ({
  name: 'remove',
  detail,
  run: ({ server }) => server.store.remove(detail),
}));
// Long enough for a connection to stand, or too short for it.
const wait = fc
  .integer({ min: 1, max: 25 })
  .map((detail): Step => ({ name: 'wait', detail, run: () => sleep(detail) }));

const requestFault: fc.Arbitrary<RequestFault> = fc.oneof(
  fc
    .constantFrom(401, 403, 404, 410, 429, 500, 503)
    .map((status): RequestFault => ({ kind: 'status', status })),
  fc.constant<RequestFault>({ kind: 'status', status: 429, retryAfter: 1 }),
  fc.constantFrom<RequestFault>({ kind: 'reset' }, { kind: 'mute' }),
);
const request = fc
  .record({ fault: requestFault, times: fc.integer({ min: 1, max: 6 }) })
  .map((detail): Step => ({
    name: 'request',
    detail,
    run({ server }) {
      let left = detail.times;
      server.onRequest = () => (left-- > 0 ? detail.fault : undefined);
    },
  }));

const after = fc.oneof(fc.nat(400), fc.nat(4000));
const bodyFault: fc.Arbitrary<BodyFault> = fc.oneof(
  fc.record({ kind: fc.constantFrom('cut' as const, 'stall' as const, 'end' as const), after }),
  fc.record({ kind: fc.constant('slow' as const), bytes: fc.integer({ min: 1, max: 40 }) }),
  fc.constant<BodyFault>({ kind: 'twice' }),
  // Inside `{"type":`, where it is always noticed; everywhere else it is TLS that notices.
  fc.record({ kind: fc.constant('swap' as const), line: fc.integer({ min: 1, max: 4 }), at: fc.nat(6) }),
);
const body = bodyFault.map((detail): Step => ({
  name: 'body',
  detail,
  run({ server }) {
    let left = 1;
    server.onBody = () => (left-- > 0 ? detail : undefined);
  },
}));
const network = fc
  .constantFrom<FaultKind>('cut', 'half-close', 'stall', 'slow', 'repeat', 'swap')
  .map((detail): Step => ({ name: 'network', detail, run: ({ proxy }) => proxy.inject(detail) }));

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: put },
  { weight: 3, arbitrary: remove },
  { weight: 8, arbitrary: wait },
  { weight: 4, arbitrary: fc.constantFrom(...FIXED) },
  { weight: 2, arbitrary: request },
  { weight: 3, arbitrary: body },
  { weight: 2, arbitrary: network },
);

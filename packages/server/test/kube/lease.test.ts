import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubeClient } from '../../src/kube/kube-client.ts';
import { createEventRecorder } from '../../src/kube/events.ts';
import { createLeaderElection, type LeaderElection } from '../../src/kube/lease.ts';
import { createFakeKubeHost } from './support/fake-kube-host.ts';
import { createFastRuntime } from './support/fast-runtime.ts';
import { startFakeKubeServer, type FakeKubeServer } from './support/fake-kube-server.ts';
import { openClient } from './support/open-client.ts';
import { until } from './support/until.ts';

const runtime = createFastRuntime(40, Math.random);
let server: FakeKubeServer;
let clients: KubeClient[] = [];
before(async () => {
  server = await startFakeKubeServer();
});
after(async () => {
  for (const client of clients) client.close();
  await server.close();
});

interface Replica {
  readonly election: LeaderElection;
  readonly log: string[];
}

function replica(name: string, identity: string, log: string[] = []): Replica {
  const client = openClient(server, runtime);
  clients = [...clients, client];
  const election = createLeaderElection({
    client,
    runtime,
    name,
    identity,
    namespace: 'a',
    onAcquired: () => log.push(`${identity} leads`),
    onLost: () => log.push(`${identity} no longer leads`),
  });
  return { election, log };
}

const specOf = (name: string): Readonly<Record<string, unknown>> =>
  (server.store.get(`a/${name}`)?.['spec'] ?? {}) as Readonly<Record<string, unknown>>;

test('one of three leads, and when it stops another one does at once', async () => {
  const log: string[] = [];
  const replicas = ['x', 'y', 'z'].map((identity) => replica('turns', identity, log));
  for (const { election } of replicas) election.start();
  for (let turn = 0; turn < 3; turn++) {
    await until(() => replicas.some(({ election }) => election.leading()), 'a leader');
    const leaders = replicas.filter(({ election }) => election.leading());
    assert.equal(leaders.length, 1);
    assert.equal(log.length, 2 * turn + 1);
    await leaders[0]?.election.stop();
    assert.equal(specOf('turns')['holderIdentity'], '');
  }
  assert.equal(new Set(log.filter((line) => line.endsWith(' leads') && !line.includes('no longer'))).size, 3);
  assert.equal(specOf('turns')['leaseTransitions'], 2);
  assert.match(String(specOf('turns')['renewTime']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
});

test('a leader that cannot reach the server leads no more before anybody else does', async () => {
  const old = replica('lost', 'old');
  old.election.start();
  await until(() => old.election.leading(), 'the first leader');
  server.onRequest = () => ({ kind: 'mute' });
  await until(() => old.log.length === 2, 'the loss');
  assert.equal(old.election.leading(), false);
  assert.equal(specOf('lost')['holderIdentity'], 'old');
  server.onRequest = () => undefined;
  await old.election.stop();
});

test('a lease of somebody who died is taken after its whole duration, whatever the clocks say', async () => {
  server.store.put('a/dead', {
    kind: 'Lease',
    apiVersion: 'coordination.k8s.io/v1',
    // Years ago by its own clock: only our own observation counts.
    spec: {
      holderIdentity: 'dead',
      leaseDurationSeconds: 15,
      renewTime: '1999-01-01T00:00:00.000000Z',
      leaseTransitions: 4,
    },
  });
  const heir = replica('dead', 'heir');
  const began = runtime.clock.now();
  heir.election.start();
  await until(() => heir.election.leading(), 'the heir');
  assert.ok(runtime.clock.now() - began >= 15_000);
  assert.equal(specOf('dead')['leaseTransitions'], 5);
  await heir.election.stop();
});

test('what repeats is one event with a count, and there are not too many', async () => {
  const host = createFakeKubeHost();
  const client = openClient(server, host);
  clients = [...clients, client];
  const recorder = createEventRecorder({
    client,
    runtime: { ...host, random: Math.random },
    controller: 'portcullis.dev/server',
    instance: 'pod',
    perMinute: 3,
  });
  const event = {
    regarding: { apiVersion: 'portcullis.dev/v1', kind: 'Policy', name: 'p', namespace: 'events' },
    type: 'Warning' as const,
    reason: 'PolicyRefused',
    action: 'Load',
    note: 'ü'.repeat(2000),
  };
  for (let index = 0; index < 4; index++) recorder.record(event);
  for (let index = 0; index < 5; index++) recorder.record({ ...event, note: String(index) });
  assert.equal(recorder.dropped(), 3);
  host.advance(60_000);
  await recorder.stop();
  const written = server.store.objects().filter(({ metadata }) => metadata.namespace === 'events');
  assert.equal(written.length, 3);
  const repeated = written.find((one) => String(one['note']).startsWith('ü'));
  assert.ok(Buffer.byteLength(String(repeated?.['note'])) <= 1024);
  assert.equal((repeated?.['series'] as { count?: number } | undefined)?.count, 4);
  assert.equal(host.timers(), 0);
});

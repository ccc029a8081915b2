import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Policy } from '@portcullis/contract';
import { describeRegistration } from '../../src/cluster/registration/describe-registration.ts';
import { createRegistrar, type Registrar } from '../../src/cluster/registration/registrar.ts';
import { Fault } from '../../src/kernel/fault.ts';
import type { KubeEvent } from '../../src/kube/events.ts';
import type { KubeObject } from '../../src/kube/kube-object.ts';
import { makePolicy } from '../support/make-policy.ts';
import { ManualRuntime, MemoryCluster, settled } from './memory-cluster.ts';

const VALIDATING = 'ValidatingWebhookConfiguration';
const MUTATING = 'MutatingWebhookConfiguration';

interface Bench {
  readonly cluster: MemoryCluster;
  readonly runtime: ManualRuntime;
  readonly registrar: Registrar;
  readonly events: KubeEvent[];
  policies: readonly Policy[];
  becomeReady(): void;
  isInForce(): boolean;
}

function bench(): Bench {
  const cluster = new MemoryCluster();
  const runtime = new ManualRuntime();
  const events: KubeEvent[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const describe = (): ReturnType<typeof describeRegistration> =>
    describeRegistration(self.policies, { endpoint: { url: 'https://a' } });
  const self: Bench = {
    cluster,
    runtime,
    events,
    policies: [makePolicy('judge'), makePolicy('change', { phase: 'mutate' })],
    becomeReady: resolve,
    isInForce: () =>
      cluster.has(VALIDATING, describe().validating) && cluster.has(MUTATING, describe().mutating),
    registrar: createRegistrar({
      client: cluster.client,
      runtime,
      reflect: cluster.reflect,
      namespace: 'portcullis',
      name: 'portcullis',
      describe,
      ready: () => promise,
      recordEvent: (event) => void events.push(event),
    }),
  };
  return self;
}

async function registered(): Promise<Bench> {
  const self = bench();
  self.registrar.start();
  self.becomeReady();
  await self.runtime.pass(0);
  assert.equal(self.registrar.state().state, 'registered');
  assert.ok(self.isInForce());
  self.cluster.requests.length = 0;
  return self;
}

function tamper({ cluster }: Bench, change: (webhook: Record<string, unknown>) => object): void {
  const object = cluster.objects.get(`${VALIDATING} portcullis`) as KubeObject;
  const webhooks = object['webhooks'] as Record<string, unknown>[];
  cluster.put({ ...object, webhooks: webhooks.map(change) });
}

test('nothing is registered before the server was ready once', async () => {
  const self = bench();
  assert.equal(self.registrar.state().state, 'off');
  self.registrar.start();
  await self.runtime.pass(60_000);
  assert.equal(self.cluster.requests.length, 0);
  assert.equal(self.registrar.state().state, 'waiting');
  self.becomeReady();
  await self.runtime.pass(0);
  assert.ok(self.isInForce());
  assert.deepEqual(
    self.cluster.requests.toSorted((a, b) => a.localeCompare(b)),
    [`patch apply ${MUTATING}`, `patch apply ${VALIDATING}`],
  );
  assert.equal(self.registrar.state().state, 'registered');
});

test('what is as it should be is left alone', async () => {
  const first = await registered();
  await first.registrar.stop();
  first.registrar.start();
  await first.runtime.pass(600_000);
  assert.deepEqual(first.cluster.requests, []);
  assert.equal(first.registrar.state().state, 'registered');
});

test('policies change, and the last one of a kind goes', async () => {
  const self = await registered();
  self.policies = [makePolicy('judge', { failurePolicy: 'Ignore' })];
  self.registrar.refresh();
  await self.runtime.pass(0);
  assert.ok(self.isInForce());
  // Applying leaves the webhook of the other class to no one: it is ours no more.
  assert.equal(self.cluster.objects.has(`${MUTATING} portcullis`), false);
  assert.equal(self.registrar.state().repairs, 0);
});

test('a changed and a deleted configuration are restored at once, and told', async () => {
  const self = await registered();
  tamper(self, (webhook) => ({ ...webhook, failurePolicy: 'Ignore' }));
  await self.runtime.pass(0);
  assert.ok(self.isInForce());
  self.cluster.remove(MUTATING, 'portcullis');
  await self.runtime.pass(0);
  assert.ok(self.isInForce());
  assert.equal(self.registrar.state().repairs, 2);
  assert.deepEqual(
    self.events.map(({ reason, regarding, note }) => [reason, regarding.kind, note]),
    [
      ['WebhookConfigurationRepaired', VALIDATING, 'somebody else changed it; Portcullis restores it'],
      ['WebhookConfigurationRepaired', MUTATING, 'somebody else deleted it; Portcullis restores it'],
    ],
  );
});

test('what others added to it goes as well', async () => {
  const self = await registered();
  tamper(self, (webhook) => ({ ...webhook, matchConditions: [{ name: 'never', expression: 'false' }] }));
  await self.runtime.pass(0);
  assert.ok(self.isInForce());
  const object = self.cluster.objects.get(`${VALIDATING} portcullis`) as KubeObject;
  self.cluster.put({ ...object, webhooks: [...(object['webhooks'] as object[]), { name: 'evil.a.b' }] });
  await self.runtime.pass(10_000);
  assert.ok(self.isInForce());
  assert.equal(self.registrar.state().repairs, 2);
});

test('somebody who fights gets slower answers, and is told of', async () => {
  const self = await registered();
  const fight = self.cluster.reflect<KubeObject>({
    resource: { group: 'x', version: 'v1', plural: 'x', kind: VALIDATING, namespaced: false },
    fieldSelector: 'metadata.name=portcullis',
    project: (object) => object,
  });
  fight.subscribe(() => {
    if (self.isInForce()) tamper(self, (webhook) => ({ ...webhook, timeoutSeconds: 30 }));
  });
  fight.start();
  await self.runtime.pass(60_000);
  // At 0, 2, 6, 14 and 30 s.
  assert.equal(self.registrar.state().repairs, 5);
  assert.equal(self.registrar.state().lastProblem?.code, 'PC_REGISTRATION_CONTESTED');
  assert.equal(self.registrar.state().state, 'failing');
  await fight.stop();
  await self.runtime.pass(60_000);
  assert.ok(self.isInForce());
  assert.equal(self.registrar.state().state, 'registered');
});

test('while the switch is there, nothing is registered, whoever makes it', async () => {
  const self = await registered();
  const off: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'portcullis-off', namespace: 'portcullis' },
  };
  self.cluster.put(off);
  await self.runtime.pass(0);
  assert.equal(self.cluster.objects.size, 1);
  assert.equal(self.registrar.state().state, 'switched-off');
  self.registrar.refresh();
  self.cluster.put({
    apiVersion: 'a',
    kind: VALIDATING,
    metadata: { name: 'portcullis' },
    webhooks: [{ name: 'any' }],
  });
  await self.runtime.pass(0);
  assert.equal(self.cluster.objects.size, 1);
  self.cluster.remove('ConfigMap', 'portcullis/portcullis-off');
  await self.runtime.pass(0);
  assert.ok(self.isInForce());
  assert.equal(self.registrar.state().state, 'registered');
});

test('the switch works for a server that never becomes ready', async () => {
  const self = bench();
  self.cluster.put({
    apiVersion: 'a',
    kind: VALIDATING,
    metadata: { name: 'portcullis' },
    webhooks: [{ name: 'any' }],
  });
  self.cluster.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'portcullis-off', namespace: 'portcullis' },
  });
  self.registrar.start();
  await self.runtime.pass(0);
  assert.equal(self.cluster.objects.has(`${VALIDATING} portcullis`), false);
  assert.equal(self.registrar.state().state, 'switched-off');
});

test('an API server that fails is tried again, more and more slowly', async () => {
  const self = bench();
  self.cluster.failure = new Fault('PC_KUBE_FORBIDDEN', 'may not patch');
  self.registrar.start();
  self.becomeReady();
  await self.runtime.pass(30_000);
  assert.equal(self.registrar.state().state, 'failing');
  assert.equal(self.registrar.state().lastProblem?.message, 'may not patch');
  // At 0, 1, 3, 7, 15 and 31 s, for two objects.
  assert.equal(self.cluster.requests.length, 10);
  self.cluster.failure = undefined;
  await self.runtime.pass(60_000);
  assert.equal(self.registrar.state().state, 'registered');
  assert.equal(self.registrar.state().repairs, 0);
});

test('the switch does not wait for attempts that failed', async () => {
  const self = await registered();
  self.cluster.failure = new Fault('PC_KUBE_INVALID', 'is refused');
  self.policies = [makePolicy('judge', { failurePolicy: 'Ignore' })];
  self.registrar.refresh();
  await self.runtime.pass(300_000);
  assert.equal(self.registrar.state().state, 'failing');
  self.cluster.failure = undefined;
  self.cluster.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'portcullis-off', namespace: 'portcullis' },
  });
  await self.runtime.pass(0);
  assert.equal(self.cluster.objects.size, 1);
  assert.equal(self.registrar.state().state, 'switched-off');
});

const SWITCH: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'portcullis-off', namespace: 'portcullis' },
};
const MAY_NOT_WATCH = new Fault('PC_KUBE_FORBIDDEN', 'may not watch');

test('the switch works for a leader that may not see the configurations', async () => {
  const self = await registered();
  await self.registrar.stop();
  for (const kind of [VALIDATING, MUTATING]) self.cluster.refused.set(kind, MAY_NOT_WATCH);
  self.cluster.put(SWITCH);
  self.registrar.start();
  await self.runtime.pass(600_000);
  assert.deepEqual([...self.cluster.objects.keys()], ['ConfigMap portcullis/portcullis-off']);
  // Once each: what is gone is not taken away over and over.
  assert.equal(self.cluster.requests.length, 2);
  assert.equal(self.registrar.state().state, 'failing');
  assert.equal(self.registrar.state().repairs, 0);
});

test('the switch works where the watch ended before it told of what was registered', async () => {
  const self = bench();
  self.registrar.start();
  await self.runtime.pass(0);
  for (const kind of [VALIDATING, MUTATING]) self.cluster.refused.set(kind, MAY_NOT_WATCH);
  self.becomeReady();
  await self.runtime.pass(600_000);
  assert.equal(self.cluster.objects.size, 2);
  // Our own write counts until it is told: nobody else has done anything.
  assert.equal(self.registrar.state().repairs, 0);
  self.cluster.put(SWITCH);
  await self.runtime.pass(600_000);
  assert.deepEqual([...self.cluster.objects.keys()], ['ConfigMap portcullis/portcullis-off']);
  assert.equal(self.registrar.state().repairs, 0);
});

test('the switch that was refused works once it is granted', async () => {
  const self = await registered();
  for (const kind of [VALIDATING, MUTATING]) self.cluster.refused.set(kind, MAY_NOT_WATCH);
  self.cluster.failure = new Fault('PC_KUBE_FORBIDDEN', 'may not delete');
  self.cluster.put(SWITCH);
  await self.runtime.pass(600_000);
  assert.equal(self.registrar.state().state, 'failing');
  self.cluster.failure = undefined;
  await self.runtime.pass(60_000);
  assert.equal(self.cluster.objects.size, 1);
});

test('stopping leaves the configurations, removing deletes them', async () => {
  const self = await registered();
  await self.registrar.stop();
  self.cluster.remove(MUTATING, 'portcullis');
  await self.runtime.pass(600_000);
  assert.deepEqual(self.cluster.requests, []);
  assert.equal(self.registrar.state().state, 'off');
  assert.equal(await self.registrar.remove(), undefined);
  assert.equal(self.cluster.objects.size, 0);
  await settled();
});

test('with the switch on, a configuration that asks nobody is left alone', async () => {
  const self = await registered();
  const metadata = { name: 'portcullis-off', namespace: 'portcullis' };
  self.cluster.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
  await self.runtime.pass(0);
  self.cluster.requests.length = 0;
  const empty = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: MUTATING,
    metadata: { name: 'portcullis' },
  };
  self.cluster.put({ ...empty, webhooks: [] });
  await self.runtime.pass(600_000);
  assert.deepEqual(self.cluster.requests, []);
  assert.equal(self.registrar.state().state, 'switched-off');
  // It comes into its own again when the switch is taken away.
  self.cluster.remove('ConfigMap', 'portcullis/portcullis-off');
  await self.runtime.pass(10_000);
  assert.equal(self.registrar.state().state, 'registered');
  assert.ok(Array.isArray(self.cluster.objects.get(`${MUTATING} portcullis`)?.['webhooks']));
  assert.notDeepEqual(self.cluster.objects.get(`${MUTATING} portcullis`)?.['webhooks'], []);
});

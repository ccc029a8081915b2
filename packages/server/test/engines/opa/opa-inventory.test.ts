import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PolicySpec, Verdict } from '@portcullis/contract';
import type { HostCapabilities } from '../../../src/engines/host-capabilities.ts';
import type { Engine, EngineHost, Evaluator } from '../../../src/engines/engine.ts';
import { gatekeeperEngine, opaEngine } from '../../../src/engines/opa/opa-engine.ts';
import { Fault, isFault } from '../../../src/kernel/fault.ts';
import { jsonDocumentOf } from '../../../src/kernel/json/json-document.ts';
import type { Logger } from '../../../src/kernel/ports.ts';
import { makePolicy } from '../../support/make-policy.ts';
import { makeReview } from '../../support/make-review.ts';
import { clock, createTestHost } from '../../support/test-host.ts';
import { opaGuest } from './opa-guest.ts';
import { toldCluster } from '../../support/told-cluster.ts';

const limits = { timeoutMs: 10_000, memoryBytes: 16 * 1024 * 1024, fuel: 50_000_000 };
const NAMESPACES = { apiVersion: 'v1', kind: 'Namespace' };
const READS = {
  capabilities: ['kubernetes/inventory'],
  contextAwareResources: [NAMESPACES, { apiVersion: 'v1', kind: 'ConfigMap' }],
};

async function open(
  bytes: Uint8Array,
  capabilities: HostCapabilities | undefined,
  {
    engine = gatekeeperEngine,
    log,
    ...spec
  }: Partial<Omit<PolicySpec, 'engine'>> & { engine?: Engine; log?: Logger } = {},
): Promise<Evaluator | Fault> {
  const host: EngineHost = {
    ...createTestHost(log),
    ...(capabilities === undefined ? {} : { capabilities }),
  };
  const module = await engine.compile(bytes);
  if (isFault(module)) return module;
  const policy = makePolicy('tested', { settings: null, limits, ...READS, ...spec });
  return (await engine.admit(module, policy, host)) ?? engine.open(module, policy, host);
}

async function opened(...given: Parameters<typeof open>): Promise<Evaluator> {
  const evaluator = await open(...given);
  assert.ok(!isFault(evaluator), isFault(evaluator) ? evaluator.message : '');
  return evaluator;
}

async function say(evaluator: Evaluator, review = makeReview({})): Promise<string> {
  const { verdict } = await evaluator.evaluate(review, clock.now() + 10_000);
  return sayOf(verdict);
}

function sayOf(verdict: Verdict): string {
  if (verdict.outcome === 'fault') return `${verdict.code}: ${verdict.message}`;
  return verdict.outcome === 'deny' ? verdict.message : verdict.outcome;
}

/** Aborts with all of its data; prints `read` whenever it reads data, which begins with a brace: what the host tries it with does not. */
const TELLING = opaGuest({
  data: 'read',
  evaluate: '(call $abort (local.get 2)) (i32.const 0)',
  exports: {
    opa_json_parse: `(param i32 i32) (result i32)
      (if (i32.eq (i32.load8_u (local.get 0)) (i32.const 0x7b)) (then (call $println (i32.const 0))))
      (global.set $heap (i32.add (global.get $heap) (i32.const 8))) (local.get 0)`,
  },
});

/** Counts what is read. */
function counting(): Logger & { count: number } {
  const log = {
    count: 0,
    enabled: () => true,
    log: (_level: string, message: string) => void (log.count += Number(message === 'read')),
  };
  return log;
}

test('as Gatekeeper: the objects are `data.inventory`', async () => {
  const cluster = toldCluster({ cluster: { v1: { Namespace: { a: {} } } }, namespace: {} });
  const evaluator = await opened(TELLING, cluster, { settings: { inventory: 1 } });
  assert.equal(
    await say(evaluator),
    'PC_OPA_ABORT: the policy aborted: {"inventory":{"cluster":{"v1":{"Namespace":{"a":{}}}},"namespace":{}}}',
  );
  const [request] = cluster.asked;
  assert.equal(request?.capability, 'kubernetes/inventory');
  assert.equal(request.policy, 'tested');
  assert.deepEqual(JSON.parse(Buffer.from(request.payload).toString()), {
    layout: 'gatekeeper',
    kinds: [{ apiVersion: 'v1', kind: 'ConfigMap' }, NAMESPACES],
  });
  evaluator.close();
});

test('as OPA: the objects are `data.kubernetes`, beside the settings and in the place of one of that name', async () => {
  for (const [settings, data] of [
    [{ kubernetes: 'mine', max: 1 }, '{"max":1,"kubernetes":{"namespaces":{"a":{}}}}'],
    [null, '{"kubernetes":{"namespaces":{"a":{}}}}'],
  ] as const) {
    const cluster = toldCluster({ namespaces: { a: {} } });
    const evaluator = await opened(TELLING, cluster, { engine: opaEngine, settings });
    assert.equal(await say(evaluator), `PC_OPA_ABORT: the policy aborted: ${data}`);
    evaluator.close();
  }
});

test('what does not change is read once; a change is what the next review sees, and the old state is not kept', async () => {
  const log = counting();
  const cluster = toldCluster({ a: 1 });
  const evaluator = await opened(TELLING, cluster, { log });
  log.count = 0;
  const first = await say(evaluator);
  for (let round = 0; round < 5; round += 1) assert.equal(await say(evaluator), first);
  assert.equal(cluster.asked.length, 6);
  assert.equal(log.count, 1);

  cluster.answer = Buffer.from('{"a":2}');
  assert.match(await say(evaluator), /"a":2/);
  assert.match(await say(evaluator), /"a":2/);
  assert.equal(log.count, 2);
  // The same as before in other bytes is a state of its own, and what was let go of is not there any more.
  cluster.answer = Buffer.from('{"a":1}');
  assert.equal(await say(evaluator), first);
  assert.equal(log.count, 3);
  evaluator.close();
});

test('reviews that come together read a change together', async () => {
  const log = counting();
  const cluster = toldCluster({ a: 1 });
  const evaluator = await opened(TELLING, cluster, { log });
  await say(evaluator);
  log.count = 0;
  cluster.answer = Buffer.from(`{"a":"${'x'.repeat(3 * 1024 * 1024)}"}`);
  const all = await Promise.all(Array.from({ length: 20 }, () => say(evaluator)));
  // An abort tells a kibibyte at most.
  assert.deepEqual(new Set(all), new Set(['PC_OPA_ABORT: the policy aborted: without a readable reason']));
  assert.ok(log.count <= 2, `${log.count} instances read it`);
  evaluator.close();
});

test('policies that see the same share their instances, and another policy does not see what one may read', async () => {
  const log = counting();
  const cluster = toldCluster({ a: 1 });
  const host: EngineHost = { ...createTestHost(log), capabilities: cluster };
  const module = await gatekeeperEngine.compile(TELLING);
  assert.ok(!isFault(module));
  const openIn = (name: string, spec: Partial<PolicySpec>): Evaluator =>
    gatekeeperEngine.open(module, makePolicy(name, { settings: null, limits, ...spec }), host);
  const [one, other, blind] = [openIn('one', READS), openIn('other', READS), openIn('blind', {})];
  assert.match(await say(one), /"a":1/);
  assert.match(await say(other), /"a":1/);
  assert.equal(await say(blind), 'PC_OPA_ABORT: the policy aborted: {}');
  assert.equal(log.count, 2);
  for (const evaluator of [one, other, blind]) evaluator.close();
});

test('a cluster that is not known is a fault, and never an empty one; the next review may find it', async () => {
  const cluster = toldCluster({});
  const evaluator = await opened(TELLING, cluster);
  const known = cluster.answer;
  cluster.answer = new Fault('PC_CAPABILITY_TIMEOUT', 'namespaces are still being read for the first time');
  assert.equal(
    await say(evaluator),
    'PC_CAPABILITY_TIMEOUT: namespaces are still being read for the first time',
  );
  cluster.answer = known;
  assert.match(await say(evaluator), /^PC_OPA_ABORT/);
  evaluator.close();

  const nobody = await opened(TELLING, undefined);
  assert.equal(
    await say(nobody),
    'PC_CAPABILITY_UNAVAILABLE: this server does not read a cluster for policies',
  );
  nobody.close();
});

test('an inventory that the limits of the policy do not allow is a fault, and a smaller one is read again', async () => {
  const cluster = toldCluster({ a: 'x'.repeat(2 * 1024 * 1024) });
  const bytes = await readFile(EXAMPLE);
  const evaluator = await opened(bytes, cluster, { limits: { ...limits, fuel: 1_000_000 } });
  const { verdict } = await evaluator.evaluate(makeReview({}), clock.now() + 10_000);
  assert.ok(verdict.outcome === 'fault');
  assert.equal(verdict.code, 'PC_WASM_FUEL');
  cluster.answer = Buffer.from('{"cluster":{},"namespace":{}}');
  assert.doesNotMatch(await say(evaluator), /^PC_WASM/);
  evaluator.close();
});

test('kinds without the capability are refused at load; a namespace of capabilities grants it', async () => {
  const cluster = toldCluster({});
  const refused = await open(TELLING, cluster, { capabilities: ['kubernetes/list_resources_all'] });
  assert.ok(isFault(refused));
  assert.equal(
    `${refused.code}: ${refused.message}`,
    'PC_CAPABILITY_DENIED: `spec.contextAwareResources` needs `kubernetes/inventory` in `spec.capabilities` for a policy in Rego',
  );
  const wrong = await open(TELLING, cluster, { capabilities: ['kubernetes*'] });
  assert.ok(isFault(wrong) && wrong.code === 'PC_CAPABILITY_PATTERN');
  for (const capability of ['*', 'kubernetes/*']) {
    (await opened(TELLING, cluster, { capabilities: [capability] })).close();
  }
  // Without kinds there is nothing to see, whatever is granted.
  const blind = await opened(TELLING, cluster, { capabilities: ['*'], contextAwareResources: [] });
  assert.equal(await say(blind), 'PC_OPA_ABORT: the policy aborted: {}');
  assert.equal(cluster.asked.length, 0);
  blind.close();
});

test('a review that is under way when its policy goes is still answered', async () => {
  const cluster = toldCluster({ a: 1 });
  const evaluator = await opened(TELLING, cluster);
  await say(evaluator);
  cluster.answer = Buffer.from('{"a":3}');
  const late = say(evaluator);
  evaluator.close();
  assert.match(await late, /"a":3/);
});

const EXAMPLE = join(
  import.meta.dirname,
  '../../../../../policies/namespace-registries-rego/namespace-registries-rego.wasm',
);
function pod(image: string): ReturnType<typeof makeReview> {
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: { containers: [{ name: 'web', image }] },
  };
  return makeReview(object, { request: jsonDocumentOf({ namespace: 'default', object }) });
}

test('a module of OPA’s decides by what is in the cluster, in both dialects', async () => {
  const bytes = await readFile(EXAMPLE);
  const registries = { metadata: {}, data: { prefixes: 'registry.test/\n' } };
  const denied = /^the image "docker\.io\/web" of container "web" is from none of the registries/;
  for (const { engine, inventory, entrypoint } of [
    {
      engine: gatekeeperEngine,
      entrypoint: 'namespace_registries/violation',
      inventory: {
        cluster: { v1: { Namespace: { default: { metadata: {} } } } },
        namespace: { default: { v1: { ConfigMap: { registries } } } },
      },
    },
    {
      engine: opaEngine,
      entrypoint: 'namespace_registries/main',
      inventory: { namespaces: { default: { metadata: {} } }, configmaps: { default: { registries } } },
    },
  ]) {
    const cluster = toldCluster(inventory);
    const evaluator = await opened(bytes, cluster, { engine, entrypoint });
    assert.equal(await say(evaluator, pod('registry.test/web')), 'allow');
    assert.match(await say(evaluator, pod('docker.io/web')), denied);
    const text = Buffer.from(cluster.answer as Uint8Array).toString();
    cluster.answer = Buffer.from(text.replace('registry.test', 'docker.io'));
    assert.equal(await say(evaluator, pod('docker.io/web')), 'allow');
    evaluator.close();
  }
});

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonObject, PolicySpec, Review, Verdict } from '@portcullis/contract';
import type { EngineHost, Evaluation, Evaluator } from '../../../src/engines/engine.ts';
import type { CapabilityRequest } from '../../../src/engines/host-capabilities.ts';
import { kubewardenEngine } from '../../../src/engines/kubewarden/kubewarden-engine.ts';
import { parseAdmissionReview } from '../../../src/gates/kube-admission/parse-admission-review.ts';
import { isFault, type Fault } from '../../../src/kernel/fault.ts';
import type { Logger } from '../../../src/kernel/ports.ts';
import { makePolicy } from '../../support/make-policy.ts';
import { clock, createTestHost } from '../../support/test-host.ts';

/**
 * A policy on Kubewarden's own SDK for Rust, built by `official-sdk/build.sh`: what it expects of a host was not written here.
 */
const compiled = await kubewardenEngine.compile(
  new Uint8Array(await readFile(join(import.meta.dirname, 'official-sdk.wasm'))),
);
assert.ok(!isFault(compiled));
const module = compiled;
const LIMITS = { timeoutMs: 10_000, memoryBytes: 16 * 1024 * 1024, fuel: 100_000_000 };

async function load(
  settings: JsonObject,
  spec: Partial<PolicySpec> = {},
  host = createTestHost(),
): Promise<Evaluator | Fault> {
  const policy = makePolicy('official', { settings, limits: LIMITS, ...spec });
  return (await kubewardenEngine.admit(module, policy, host)) ?? kubewardenEngine.open(module, policy, host);
}

/** As API servers send it, nulls included. */
function reviewOf(name: string): Review {
  const kind = { group: '', version: 'v1', kind: 'Pod' };
  const resource = { group: '', version: 'v1', resource: 'pods' };
  const request = {
    uid: 'u-1',
    kind,
    resource,
    requestKind: kind,
    requestResource: resource,
    name,
    namespace: 'shop',
    operation: 'CREATE',
    userInfo: { username: 'ana', groups: ['ops'], extra: { k: ['v'] } },
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app: 'web' } },
      spec: { later: null },
    },
    oldObject: null,
    dryRun: false,
    options: null,
    added: 'later',
  };
  const body = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };
  const parsed = parseAdmissionReview(Buffer.from(JSON.stringify(body)), Infinity);
  assert.ok(!isFault(parsed));
  return parsed.review;
}

async function verdictOf(
  name: string,
  settings: JsonObject = {},
  spec: Partial<PolicySpec> = {},
  host?: EngineHost,
): Promise<Verdict> {
  const evaluator = await load(settings, spec, host);
  assert.ok(!isFault(evaluator), isFault(evaluator) ? evaluator.message : '');
  const { verdict } = await evaluator.evaluate(reviewOf(name), clock.now() + 60_000);
  evaluator.close();
  return verdict;
}

test('accepts', async () => {
  assert.deepEqual(await verdictOf('web'), { outcome: 'allow', warnings: [], auditAnnotations: {} });
});

test('rejects with all that an answer may have', async () => {
  assert.deepEqual(await verdictOf('db', { denied: ['db'] }), {
    outcome: 'deny',
    message: 'the name `db` is denied',
    code: 422,
    causes: [],
    warnings: ['see the list'],
    auditAnnotations: { name: 'db' },
  });
});

test('mutates, and only where it may', async () => {
  assert.deepEqual(await verdictOf('web', { label: 'team' }, { phase: 'mutate' }), {
    outcome: 'allow',
    warnings: [],
    auditAnnotations: {},
    mutation: {
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { labels: { app: 'web', team: 'yes' }, name: 'web' },
        spec: { later: null },
      },
    },
  });
  const verdict = await verdictOf('web', { label: 'team' });
  assert.match(
    verdict.outcome === 'deny' ? verdict.message : '',
    /^Request rejected by policy official\. The policy attempted/,
  );
});

test('settings are checked by the SDK', async () => {
  const refusal = async (settings: JsonObject): Promise<string> => {
    const evaluator = await load(settings);
    return isFault(evaluator) ? `${evaluator.code}: ${evaluator.message}` : 'loaded';
  };
  assert.equal(await refusal({ denied: ['a'] }), 'loaded');
  assert.equal(
    await refusal({ denied: [''] }),
    'PC_POLICY_SETTINGS: the settings are not valid: `denied` has an empty name',
  );
  assert.match(await refusal({ unknown: 1 }), /^PC_POLICY_SETTINGS: .*unknown field `unknown`/);
});

test('asks the host, and reads its answer and its refusal', async () => {
  const asked: CapabilityRequest[] = [];
  const host: EngineHost = {
    ...createTestHost(),
    capabilities: {
      call: (request) => {
        asked.push(request);
        return Promise.resolve(Buffer.from('{"ips":["192.0.2.1","192.0.2.2"]}'));
      },
    },
  };
  const lookup = { lookup: 'example.com' };
  const granted = await verdictOf('web', lookup, { capabilities: ['net/v1/dns_lookup_host'] }, host);
  assert.equal(granted.outcome === 'deny' && granted.message, '192.0.2.1,192.0.2.2');
  assert.deepEqual(
    asked.map(({ capability, payload }) => [capability, Buffer.from(payload).toString()]),
    [['net/v1/dns_lookup_host', '"example.com"']],
  );
  const denied = await verdictOf('web', lookup, {}, host);
  assert.equal(denied.outcome === 'fault' && denied.code, 'PC_KUBEWARDEN_GUEST');
  assert.match(
    denied.outcome === 'fault' ? denied.message : '',
    /Policy has not been granted access to the 'net\/v1\/dns_lookup_host' host capability/,
  );
  assert.equal(asked.length, 1);
});

test('logs through the host', async () => {
  const lines: unknown[] = [];
  const log: Logger = {
    enabled: () => true,
    log: (level, message, fields) => void lines.push([level, message, fields?.['uid'], fields?.['user']]),
  };
  await verdictOf('web', {}, {}, createTestHost(log));
  assert.deepEqual(lines, [['info', 'asked', 'u-1', 'ana']]);
});

test('a panic is a fault that tells what the guest printed', async () => {
  const verdict = await verdictOf('web', { panic: true });
  assert.equal(verdict.outcome === 'fault' && verdict.code, 'PC_WASM_TRAP');
  assert.match(verdict.outcome === 'fault' ? verdict.message : '', /asked to/);
});

test('the SDK counts each request as the one after the first call, however many there were', async () => {
  const evaluator = await load({ count: true });
  assert.ok(!isFault(evaluator));
  const seen: unknown[] = [];
  for (let index = 0; index < 3; index++) {
    const { verdict }: Evaluation = await evaluator.evaluate(reviewOf('web'), clock.now() + 60_000);
    seen.push('message' in verdict && verdict.message);
  }
  evaluator.close();
  assert.deepEqual(seen, ['1', '1', '1']);
});

test('a reset instance answers as a new one: verdict, fuel and memory', async () => {
  const settings = { denied: ['db', 'x'.repeat(40)] };
  const reused = await load(settings);
  assert.ok(!isFault(reused));
  const names = fc.oneof(
    fc.constantFrom('db', 'web', 'warm-up', 'x'.repeat(40)),
    fc.string({ maxLength: 400 }),
  );
  await fc.assert(
    fc.asyncProperty(names, async (name) => {
      const review = reviewOf(name);
      const fresh = await load(settings);
      assert.ok(!isFault(fresh));
      const expected = await fresh.evaluate(review, clock.now() + 60_000);
      fresh.close();
      assert.deepEqual(await reused.evaluate(review, clock.now() + 60_000), expected);
    }),
    { numRuns: 25, seed: 11 },
  );
  reused.close();
});

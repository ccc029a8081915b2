import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { JsonValue } from '@portcullis/contract';
import { withCustomSection } from '../../src/cli/policy/with-custom-section.ts';
import type { HostCapabilities } from '../../src/engines/host-capabilities.ts';
import { Fault, isFault } from '../../src/kernel/fault.ts';
import { opaGuest } from '../engines/opa/opa-guest.ts';
import { openGate, podReview, type OpenGate } from './open-gate.ts';
import { toldCluster, type ToldCluster } from '../support/told-cluster.ts';

const POLICIES = join(import.meta.dirname, '../../../../policies');

/** A module as an author annotates it for Kubewarden. */
function annotated(module: Uint8Array, executionMode: 'opa' | 'gatekeeper'): Uint8Array {
  const metadata = { protocolVersion: 'Unknown', executionMode, mutating: false, rules: [] };
  const bytes = withCustomSection(module, 'io.kubewarden.metadata', Buffer.from(JSON.stringify(metadata)));
  assert.ok(!isFault(bytes));
  return bytes;
}

const answering = (result: JsonValue): Uint8Array =>
  opaGuest({ data: JSON.stringify([{ result }]), evaluate: '(i32.const 0)' });
/** Aborts with its input. */
const TELLING = opaGuest({
  evaluate:
    '(i32.store8 (i32.add (local.get 3) (local.get 4)) (i32.const 0)) (call $abort (local.get 3)) (i32.const 0)',
});

function open(entry: string, module: Uint8Array, capabilities?: HostCapabilities): Promise<OpenGate> {
  const real = { modules: { m: module }, ...(capabilities === undefined ? {} : { capabilities }) };
  return openGate(`p: {module: m${entry}}`, {}, { real });
}

async function responseOf(
  gate: OpenGate,
  path = '/validate/p',
  body: unknown = podReview(),
): Promise<object> {
  const { response, body: answer } = await gate.post(path, body);
  assert.equal(response.status, 200, response.body);
  return (answer as { readonly response: object }).response;
}

const ALLOWED = { uid: 'u1', allowed: true, auditAnnotations: null, warnings: null };
const failed = (message: string): object => ({ ...ALLOWED, allowed: false, status: { message, code: 500 } });

describe('policies in Rego, run by what their metadata say', () => {
  test('as Gatekeeper: a list of violations; the settings are parameters', async () => {
    const bytes = annotated(
      await readFile(join(POLICIES, 'memory-limits-rego/memory-limits-rego.wasm')),
      'gatekeeper',
    );
    const gate = await open(', settings: {max: 512Mi}', bytes);
    const pod = (memory: string): object =>
      podReview({ object: { spec: { containers: [{ name: 'web', resources: { limits: { memory } } }] } } });
    assert.deepEqual(await responseOf(gate, '/validate/p', pod('128Mi')), ALLOWED);
    assert.deepEqual(await responseOf(gate, '/validate/p', pod('1Gi')), {
      ...ALLOWED,
      allowed: false,
      status: { message: 'container "web" may use 1Gi of memory; the most is 512Mi' },
    });
  });

  test('as OPA: an AdmissionReview; text and code of an allow are told, too', async () => {
    const gate = async (response: JsonValue): Promise<object> =>
      responseOf(await open('', annotated(answering({ response }), 'opa')));
    assert.deepEqual(await gate({ uid: 'other', allowed: true }), ALLOWED);
    assert.deepEqual(await gate({ allowed: true, status: { message: 'fine', code: 202 }, warnings: ['w'] }), {
      ...ALLOWED,
      status: { message: 'fine', code: 202 },
      warnings: ['w'],
    });
    assert.deepEqual(await gate({ allowed: false, status: { message: 'no', code: 422 } }), {
      ...ALLOWED,
      allowed: false,
      status: { message: 'no', code: 422 },
    });
  });

  test('they are asked about the request as Kubewarden writes it: without what is null or unknown', async () => {
    const gate = await open('', annotated(TELLING, 'opa'));
    const request = { kind: undefined, oldObject: null, later: 1, options: null, object: { n: 1 } };
    const asked = podReview({ ...request, kind: { group: '', version: 'v1', kind: 'Pod', more: 1 } });
    const { status } = (await responseOf(gate, '/validate/p', asked)) as { status: { message: string } };
    const [, text = ''] = /^internal server error: the policy aborted: (.*)$/.exec(status.message) ?? [];
    assert.deepEqual(JSON.parse(text), {
      request: {
        uid: 'u1',
        kind: { group: '', version: 'v1', kind: 'Pod' },
        resource: { group: '', version: 'v1', resource: 'pods' },
        name: 'web',
        namespace: 'default',
        operation: 'CREATE',
        userInfo: { username: 'ana' },
        object: { n: 1 },
      },
    });
  });

  test('weakness 1: a result that is undefined or of another shape denies, in both', async () => {
    for (const [mode, results] of [
      ['opa', [true, { allowed: true }, { response: {} }, { response: { allowed: 'yes' } }, [], null]],
      ['gatekeeper', [true, {}, { violation: [] }, 'no', [1], [{ msg: 7 }], null]],
    ] as const) {
      for (const result of results) {
        const { allowed, status } = (await responseOf(
          await open('', annotated(answering(result), mode)),
        )) as {
          allowed: boolean;
          status: { code: number; message: string };
        };
        assert.equal(allowed, false, JSON.stringify([mode, result]));
        assert.equal(status.code, 500);
        assert.match(status.message, /^cannot interpret OPA policy result: /);
      }
    }
    const nothing = opaGuest({ data: '[]', evaluate: '(i32.const 0)' });
    for (const mode of ['opa', 'gatekeeper'] as const) {
      assert.deepEqual(
        await responseOf(await open('', annotated(nothing, mode))),
        failed('cannot interpret OPA policy result: its entry point is undefined for this review'),
      );
    }
  });

  test('any JSON: a policy of OPA is asked about it as it is, one of Gatekeeper cannot be', async () => {
    const opa = await open('', annotated(TELLING, 'opa'));
    const said = (await responseOf(
      opa,
      '/validate_raw/p',
      '{"request": {"uid":"r", "oldObject": null}}',
    )) as {
      uid: string;
      status: { message: string };
    };
    assert.equal(said.uid, 'r');
    assert.match(said.status.message, /: \{"request":\{"uid":"r", "oldObject": null\}\}$/);
    assert.deepEqual(
      await responseOf(await open('', annotated(answering([]), 'gatekeeper')), '/validate_raw/p', {
        request: {},
      }),
      { ...failed('Gatekeeper does not support raw validation requests'), uid: '' },
    );
  });

  test('a patch of a policy of OPA is one of the whole request, where that is any JSON', async () => {
    const patch = [{ op: 'add', path: '/seen', value: true }];
    const response = {
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
    };
    const gate = await open(', allowedToMutate: true', annotated(answering({ response }), 'opa'));
    const answer = (await responseOf(gate, '/validate_raw/p', { request: { uid: 'r' } })) as {
      patch: string;
    };
    assert.deepEqual(JSON.parse(Buffer.from(answer.patch, 'base64').toString()), patch);
  });
});

describe('policies in Rego that see the cluster', () => {
  const READS =
    ', contextAwareResources: [{apiVersion: v1, kind: Namespace}, {apiVersion: v1, kind: ConfigMap}]';
  const pod = (image: string): object =>
    podReview({ object: { spec: { containers: [{ name: 'web', image }] } } });

  const layouts = ({ asked }: ToldCluster): unknown =>
    asked.map(({ capability, payload }) => [
      capability,
      (JSON.parse(Buffer.from(payload).toString()) as { layout: string }).layout,
    ]);

  test('as Gatekeeper: the kinds that are named are enough, and nothing is seen when they cannot be had', async () => {
    const cluster = toldCluster({
      cluster: { v1: { Namespace: { default: { metadata: {} } } } },
      namespace: {
        default: { v1: { ConfigMap: { registries: { data: { prefixes: 'registry.test/' } } } } },
      },
    });
    const example = join(POLICIES, 'namespace-registries-rego/namespace-registries-rego.wasm');
    const gate = await open(READS, annotated(await readFile(example), 'gatekeeper'), cluster);
    assert.deepEqual(await responseOf(gate, '/validate/p', pod('registry.test/web')), ALLOWED);
    const denied = (await responseOf(gate, '/validate/p', pod('docker.io/web'))) as {
      status: { message: string };
    };
    assert.match(denied.status.message, /^the image "docker\.io\/web" of container "web" is from none/);
    assert.deepEqual(layouts(cluster), [
      ['kubernetes/inventory', 'gatekeeper'],
      ['kubernetes/inventory', 'gatekeeper'],
    ]);
    cluster.answer = new Fault('PC_CAPABILITY_TIMEOUT', 'namespaces are still being read for the first time');
    assert.deepEqual(
      await responseOf(gate, '/validate/p', pod('registry.test/web')),
      failed('internal server error: namespaces are still being read for the first time'),
    );
  });

  test('as OPA: beside the settings', async () => {
    const cluster = toldCluster({ namespaces: {} });
    const telling = opaGuest({
      evaluate: '(call $abort (local.get 2)) (i32.const 0)',
      exports: {
        opa_json_parse: `(param i32 i32) (result i32)
          (global.set $heap (i32.add (global.get $heap) (i32.const 8))) (local.get 0)`,
      },
    });
    const gate = await open(`${READS}, settings: {a: 1}`, annotated(telling, 'opa'), cluster);
    assert.deepEqual(
      await responseOf(gate),
      failed('internal server error: the policy aborted: {"a":1,"kubernetes":{"namespaces":{}}}'),
    );
    assert.deepEqual(layouts(cluster), [['kubernetes/inventory', 'opa']]);
  });

  test('a policy that names no kinds asks nothing', async () => {
    const cluster = toldCluster({});
    const gate = await open('', annotated(answering([]), 'gatekeeper'), cluster);
    assert.deepEqual(await responseOf(gate), ALLOWED);
    assert.deepEqual(cluster.asked, []);
  });
});

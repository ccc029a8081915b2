import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PolicySpec } from '@portcullis/contract';
import { ENGINES } from '../../../src/app/engine-table.ts';
import { withCustomSection } from '../../../src/cli/policy/with-custom-section.ts';
import { kubewardenEngine } from '../../../src/engines/kubewarden/kubewarden-engine.ts';
import { isFault, type Fault } from '../../../src/kernel/fault.ts';
import { decodeModule } from '../../../src/wasm/decode/decode-module.ts';
import { makePolicy } from '../../support/make-policy.ts';
import { createTestHost } from '../../support/test-host.ts';
import { wat } from '../../wasm-instrument/support/wat.ts';
import { program, respond, wapc, type GuestParts } from './support/guest-wat.ts';

const ALLOW = '{"accepted":true}';
const BODY = `${respond(0, ALLOW.length)} (i32.const 1)`;

async function load(bytes: Uint8Array, spec: Partial<PolicySpec> = {}): Promise<Fault | undefined> {
  const module = await kubewardenEngine.compile(bytes);
  if (isFault(module)) return module;
  return kubewardenEngine.admit(module, makePolicy('labels', { settings: null, ...spec }), createTestHost());
}

const guest = (parts: GuestParts = {}): Uint8Array => wapc(BODY, { data: ALLOW, ...parts });
const told = (fault: Fault | undefined): string =>
  fault === undefined ? 'loaded' : `${fault.code}: ${fault.message}`;

test('modules are recognised by what they export, import and say of themselves', () => {
  const engineOf = (bytes: Uint8Array): string | undefined => {
    const module = decodeModule(bytes);
    assert.ok(!isFault(module));
    return ENGINES.values().find((engine) => engine.detect(module.info, bytes))?.name;
  };
  assert.equal(engineOf(guest()), 'kubewarden');
  assert.equal(engineOf(guest({ metadata: undefined })), 'kubewarden');
  assert.equal(engineOf(program('')), 'kubewarden');
  assert.equal(engineOf(program('', { metadata: undefined })), 'kubewarden');
  const wasi = '(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))';
  assert.equal(
    engineOf(wat(`(module ${wasi} (memory (export "memory") 1) (func (export "_start")))`)),
    'wasi',
  );
  const { info } = decodeModule(guest()) as Exclude<ReturnType<typeof decodeModule>, Fault>;
  assert.equal(kubewardenEngine.describe?.(info), 'admission (waPC)');
});

test('metadata tell Rego in the way of Gatekeeper from Rego in the way of OPA', async () => {
  const folder = join(import.meta.dirname, '../../../../../policies/memory-limits-rego');
  const rego = new Uint8Array(await readFile(join(folder, 'memory-limits-rego.wasm')));
  const engineOf = (executionMode?: unknown): string | undefined => {
    const metadata = Buffer.from(JSON.stringify({ executionMode }));
    const bytes = withCustomSection(rego, 'io.kubewarden.metadata', metadata);
    assert.ok(!isFault(bytes));
    const module = decodeModule(bytes);
    assert.ok(!isFault(module));
    return ENGINES.values().find((engine) => engine.detect(module.info, bytes))?.name;
  };
  assert.deepEqual(['gatekeeper', 'opa', undefined, 7].map(engineOf), ['gatekeeper', 'opa', 'opa', 'opa']);
});

test('a module without metadata has to say which protocol it speaks', async () => {
  assert.equal(told(await load(guest({ metadata: undefined }))), 'loaded');
  assert.equal(told(await load(guest({ metadata: '{"protocolVersion":"Unknown"}' }))), 'loaded');
  const silent =
    wat(`(module (import "wapc" "__guest_response" (func (param i32 i32))) (memory (export "memory") 1)
    (func (export "__guest_call") (param i32 i32) (result i32) (i32.const 0)))`);
  assert.equal(
    told(await load(silent)),
    'PC_KUBEWARDEN_PROTOCOL: the module must speak protocol version `v1`; its metadata does not tell, and the guest neither: Guest call failure: No error message set for call failure',
  );
  assert.equal(
    told(await load(guest({ metadata: '{"protocolVersion":"v2"}' }))),
    'PC_KUBEWARDEN_PROTOCOL: the module must speak protocol version `v1`; its metadata says `v2`',
  );
});

test('metadata that contradicts the module, or cannot be read, is refused', async () => {
  assert.equal(
    told(await load(guest({ metadata: '{"executionMode":"gatekeeper"}' }))),
    'PC_MODULE_ENGINE: the module has the execution mode `gatekeeper`; name the engine that runs it in `spec.engine`',
  );
  assert.equal(
    told(await load(guest({ metadata: '{"executionMode":"wasi"}' }))),
    'PC_MODULE_EXPORT: the module must export `_start` as a function () -> ()',
  );
  assert.equal(
    told(await load(guest({ metadata: '{"policyType":7}' }))),
    'PC_MODULE_MALFORMED: the section `io.kubewarden.metadata` cannot be used: `policyType` must be a string',
  );
});

test('settings are checked by the guest', async () => {
  const answering = (answer: string): Uint8Array =>
    guest({
      data: ALLOW.padEnd(1000) + answer,
      settings: `${respond(1000, answer.length)} (i32.const 1)`,
    });
  const start = 'PC_POLICY_SETTINGS: the settings are not valid: ';
  assert.equal(told(await load(answering('{"valid":true,"message":"ignored"}'))), 'loaded');
  assert.equal(
    told(await load(answering('{"valid":false,"message":"`team` is missing"}'))),
    `${start}\`team\` is missing`,
  );
  assert.equal(told(await load(answering('{"valid":false}'))), `${start}the policy does not say why`);
  assert.match(told(await load(answering('{"valid":"true"}'))), /^PC_POLICY_SETTINGS/);
  assert.match(told(await load(answering(''))), /^PC_POLICY_SETTINGS/);
  assert.equal(
    told(await load(guest({ settings: '(i32.const 0)' }))),
    `${start}Guest call failure: No error message set for call failure`,
  );
  assert.match(
    told(await load(guest({ settings: '(unreachable)' }))),
    /^PC_WASM_TRAP: the settings could not be checked: /,
  );
  for (const settings of [[], 'text', 7, true])
    assert.equal(told(await load(guest(), { settings })), `${start}they must be an object`);
});

test('the guest gets its settings as they are, and `{}` when there are none', async () => {
  // Valid only when the document has as many bytes as the text.
  const expecting = (length: number): Uint8Array =>
    guest({
      settings: `(if (i32.ne (local.get $payload) (i32.const ${length})) (then (return (i32.const 0))))
        ${respond(49_000, '{"valid":true}'.length)} (i32.const 1)`,
    });
  assert.equal(told(await load(expecting(2))), 'loaded');
  assert.equal(told(await load(expecting('{"team":"a"}'.length), { settings: { team: 'a' } })), 'loaded');
  assert.match(told(await load(expecting(2), { settings: { team: 'a' } })), /^PC_POLICY_SETTINGS/);
});

test('what a policy may not be is refused before it runs', async () => {
  assert.equal(
    told(await load(guest(), { gate: 'authorization' })),
    'PC_POLICY_VALUE: modules of the engine `kubewarden` answer the gate `admission`, not `authorization`',
  );
  assert.match(told(await load(guest(), { capabilities: ['oci*'] })), /^PC_CAPABILITY_PATTERN/);
  const limits = { timeoutMs: 1000, memoryBytes: 65_536, fuel: 10_000_000 };
  assert.match(told(await load(guest(), { limits })), /^PC_MODULE_MEMORY/);
});

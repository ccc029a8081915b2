import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fault } from '../../src/kernel/fault.ts';
import { makePolicy } from '../support/make-policy.ts';
import { createManagementClient } from './management-client.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const WASM = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

function registration(name: string, more: object = {}): string {
  return JSON.stringify({ metadata: { name, version: '1.2.0' }, wasm_binary: 'AGFzbQEAAAA=', ...more });
}

describe('plugins, as a client of the reference sees them', () => {
  test('register, list, remove', async () => {
    const { send, control } = createManagementClient();
    const body = registration('registry-check', {
      operations: ['CREATE', 'UPDATE'],
      enabled: true,
      fail_open: true,
    });
    const created = await send('POST /plugins', { as: 'editor', headers: JSON_TYPE, body });
    equal(created.status, 201);
    deepEqual(await created.json(), { status: 'created' });
    equal(control.policy('registry-check')?.policy?.spec.failurePolicy, 'Ignore');

    const listed = await send('GET /plugins', { as: 'viewer' });
    deepEqual(await listed.json(), {
      plugins: [
        {
          name: 'registry-check',
          version: '1.2.0',
          description: null,
          operations: ['CREATE', 'UPDATE'],
          enabled: true,
        },
      ],
    });

    const removed = await send('DELETE /plugins/registry-check', { as: 'editor' });
    equal(removed.status, 200);
    deepEqual(await removed.json(), { status: 'removed' });
    deepEqual(
      control.audited.map(({ action, name, result }) => `${action} ${name} ${result}`),
      ['policy.put registry-check ok', 'policy.delete registry-check ok'],
    );
  });

  test('keep the order of registration, and move to the end when registered again', async () => {
    const { send } = createManagementClient();
    for (const name of ['b', 'a', 'b']) {
      await send('POST /plugins', { as: 'editor', headers: JSON_TYPE, body: registration(name) });
    }
    const { plugins } = (await (await send('GET /plugins', { as: 'viewer' })).json()) as {
      plugins: { name: string }[];
    };
    deepEqual(
      plugins.map(({ name }) => name),
      ['a', 'b'],
    );
  });

  test('stay readable after a policy with the last order that there is', async () => {
    const { send, control } = createManagementClient();
    const last = makePolicy('last');
    control.add({ ...last, spec: { ...last.spec, order: Number.MAX_SAFE_INTEGER } });
    await send('POST /plugins', { as: 'editor', headers: JSON_TYPE, body: registration('a') });
    equal(control.policy('a')?.policy?.spec.order, Number.MAX_SAFE_INTEGER);
  });

  test('a module can be uploaded as it is', async () => {
    const { send, control } = createManagementClient();
    const query =
      'name=up&version=2.0.0&operations=create,DELETE&failOpen=true&timeoutMs=250&description=mine';
    const headers = { 'content-type': 'application/wasm' };
    const created = await send(`POST /plugins?${query}`, { as: 'editor', headers, body: WASM });
    equal(created.status, 201, await created.clone().text());
    const policy = control.policy('up')?.policy;
    equal(policy?.spec.module.inline, 'AGFzbQEAAAA=');
    equal(policy?.spec.limits.timeoutMs, 250);
    deepEqual(policy?.spec.match.operations, ['CREATE', 'DELETE']);
    equal(policy?.spec.failurePolicy, 'Ignore');
    equal(policy?.metadata.description, 'mine');
  });

  for (const [what, line, headers, body, status, error] of [
    ['JSON that breaks off', 'POST /plugins', JSON_TYPE, '{"metadata":', 400, /offset|end|byte/],
    ['no body', 'POST /plugins', JSON_TYPE, '', 400, /empty/],
    ['bad base64', 'POST /plugins', JSON_TYPE, registration('a', { wasm_binary: '%%' }), 400, /base64/],
    [
      'wrong shape',
      'POST /plugins',
      JSON_TYPE,
      '{"metadata":{"name":"a"},"wasm_binary":"AA=="}',
      422,
      /version/,
    ],
    ['an array', 'POST /plugins', JSON_TYPE, '[]', 422, /./],
    ['no module', 'POST /plugins', JSON_TYPE, '{"metadata":{"name":"a","version":"1"}}', 422, /wasmBinary/],
    [
      'bad digest',
      'POST /plugins',
      JSON_TYPE,
      registration('a', { metadata: { name: 'a', version: '1', sha256: 'x' } }),
      422,
      /hex/,
    ],
    [
      'a content type that is none of both',
      'POST /plugins',
      { 'content-type': 'text/plain' },
      registration('a'),
      415,
      /application\/wasm/,
    ],
    [
      'an upload without a name',
      'POST /plugins?version=1',
      { 'content-type': 'application/wasm' },
      WASM,
      422,
      /name/,
    ],
    [
      'an upload with an unknown parameter',
      'POST /plugins?nam=a',
      { 'content-type': 'application/wasm' },
      WASM,
      400,
      /`nam`/,
    ],
    [
      'an upload with a wrong number',
      'POST /plugins?timeoutMs=soon',
      { 'content-type': 'application/wasm' },
      WASM,
      400,
      /`timeoutMs` must be/,
    ],
    ['a plugin that is not there', 'DELETE /plugins/none', {}, undefined, 404, /`none`/],
    ['a method that is not there', 'PUT /plugins', {}, undefined, 405, /PUT/],
  ] as const) {
    test(`${what}: ${status}`, async () => {
      const { send, control } = createManagementClient();
      const response = await send(line, { as: 'editor', headers, ...(body === undefined ? {} : { body }) });
      equal(response.status, status);
      const told = (await response.json()) as { error: string };
      deepEqual(Object.keys(told), ['error']);
      match(told.error, error);
      deepEqual(
        control.calls.filter((call) => call === 'put' || call === 'remove'),
        [],
      );
    });
  }

  for (const [code, status] of [
    ['PC_MODULE_MALFORMED', 422],
    ['PC_MODULE_DIGEST', 422],
    ['PC_MODULE_EXPORT', 422],
    ['PC_CONFLICT', 409],
  ] as const) {
    test(`refused with ${code}: ${status}`, async () => {
      const { send, control } = createManagementClient();
      control.refuse = new Fault(code, 'Plugin a integrity check failed');
      const response = await send('POST /plugins', {
        as: 'editor',
        headers: JSON_TYPE,
        body: registration('a'),
      });
      equal(response.status, status);
      deepEqual(await response.json(), { error: 'Plugin a integrity check failed' });
      deepEqual(control.audited, [{ action: 'policy.put', name: 'a', token: 'the-editor', result: code }]);
    });
  }

  test('uploads have a limit of their own, above that of documents', async () => {
    const { send } = createManagementClient({ limits: { document: 100, module: 5000 } });
    const upload = (size: number): Promise<Response> =>
      send('POST /plugins?name=a&version=1', {
        as: 'editor',
        headers: { 'content-type': 'application/wasm' },
        body: new Uint8Array(size),
      });
    equal((await upload(4999)).status, 201);
    equal((await upload(5001)).status, 413);
  });

  test('a policy of another engine is no plugin', async () => {
    const { send, control } = createManagementClient();
    control.add(makePolicy('rego'), { engine: 'rego' });
    deepEqual(await (await send('GET /plugins', { as: 'viewer' })).json(), { plugins: [] });
    equal((await send('DELETE /plugins/rego', { as: 'editor' })).status, 404);
  });

  test('health and readiness have the shapes of the reference', async () => {
    const { send, control } = createManagementClient();
    deepEqual(await (await send('GET /ready')).json(), { status: 'ready', plugins_loaded: 0 });
    control.add(makePolicy('a'));
    deepEqual(await (await send('GET /health')).json(), { status: 'healthy', plugins_loaded: 1 });
    control.ready = false;
    const unready = await send('GET /ready');
    equal(unready.status, 503);
    deepEqual(await unready.json(), {
      status: 'not ready: certificate serving: it has expired',
      plugins_loaded: 1,
    });
  });
});

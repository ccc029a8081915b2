import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fault } from '../../src/kernel/fault.ts';
import { makePolicy } from '../support/make-policy.ts';
import { createManagementClient, type ManagementClient } from './management-client.ts';

const YAML = { 'content-type': 'application/yaml' };
const LIST = '/api/v1/policies';

function documentOf(name: string, extra = ''): string {
  return `apiVersion: portcullis.dev/v1
kind: Policy
metadata: { name: ${name} }
spec:
  module: { inline: AGFzbQEAAAA= }
${extra}`;
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly line?: number;
  readonly path?: string;
}

async function problem(response: Response): Promise<Problem> {
  equal(response.headers.get('content-type'), 'application/problem+json');
  return (await response.json()) as Problem;
}

describe('policies', () => {
  test('are created, read, replaced and deleted', async () => {
    const { send, control } = createManagementClient();
    const created = await send(`POST ${LIST}`, { as: 'editor', headers: YAML, body: documentOf('a') });
    equal(created.status, 201);
    equal(created.headers.get('location'), '/api/v1/policies/a');

    const read = await send(`GET ${LIST}/a?module=true`, { as: 'viewer' });
    const resource = (await read.json()) as { policy: { spec: { mode: string } } };
    equal(resource.policy.spec.mode, 'enforce');

    const json = JSON.stringify({ ...resource.policy, spec: { ...resource.policy.spec, mode: 'audit' } });
    const replaced = await send(`PUT ${LIST}/a`, {
      as: 'editor',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: json,
    });
    equal(replaced.status, 200, 'what was read can be sent back');
    equal(control.policy('a')?.policy?.spec.mode, 'audit');

    const list = (await (await send(`GET ${LIST}`, { as: 'viewer' })).json()) as {
      items: { name: string }[];
    };
    deepEqual(
      list.items.map(({ name }) => name),
      ['a'],
    );
    ok(!JSON.stringify(list).includes('AGFzbQEAAAA='), 'the list does not carry modules');

    equal((await send(`DELETE ${LIST}/a`, { as: 'editor' })).status, 204);
    equal((await send(`GET ${LIST}/a`, { as: 'viewer' })).status, 404);
    deepEqual(control.audited, [
      { action: 'policy.put', name: 'a', token: 'the-editor', result: 'ok' },
      { action: 'policy.put', name: 'a', token: 'the-editor', result: 'ok' },
      { action: 'policy.delete', name: 'a', token: 'the-editor', result: 'ok' },
    ]);
  });

  test('show an inline module only when it is wanted, and never lose it', async () => {
    const { send, control } = createManagementClient();
    const posted = await send(`POST ${LIST}`, { as: 'editor', headers: YAML, body: documentOf('a') });
    for (const answer of [posted, await send(`GET ${LIST}/a`, { as: 'viewer' })]) {
      const { policy } = (await answer.json()) as { policy: { spec: { module: object } } };
      deepEqual(policy.spec.module, { inline: '(8 bytes, read with ?module=true)' });
      const back = await send(`PUT ${LIST}/a`, {
        as: 'editor',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(policy),
      });
      deepEqual([back.status, (await problem(back)).code], [422, 'PC_POLICY_BASE64']);
    }
    equal(control.policy('a')?.policy?.spec.module.inline, 'AGFzbQEAAAA=');
    const whole = await send(`GET ${LIST}/a?module=true`, { as: 'viewer' });
    match(await whole.text(), /"inline":"AGFzbQEAAAA="/);
    equal((await send(`GET ${LIST}/a?module=yes`, { as: 'viewer' })).status, 400);
  });

  test('are replaced by POST too, unless the request forbids it', async () => {
    const { send, control } = createManagementClient();
    const post = (extra: string, headers: Record<string, string> = {}): Promise<Response> =>
      send(`POST ${LIST}`, { as: 'editor', headers: { ...YAML, ...headers }, body: documentOf('a', extra) });
    equal((await post('')).status, 201);
    const replaced = await post('  mode: audit\n');
    deepEqual([replaced.status, replaced.headers.get('location')], [200, null]);
    equal((await post('  mode: warn\n', { 'if-none-match': '*' })).status, 412);
    equal(control.policy('a')?.policy?.spec.mode, 'audit');
  });

  test('keep integers that a double cannot hold', async () => {
    const { send } = createManagementClient();
    const body = documentOf('a', '  settings: { big: 12345678901234567890 }\n');
    await send(`PUT ${LIST}/a`, { as: 'editor', headers: YAML, body });
    match(await (await send(`GET ${LIST}/a`, { as: 'viewer' })).text(), /"big":12345678901234567890[,}]/);
  });

  test('a refused document is listed with its status and without a policy', async () => {
    const { send, control } = createManagementClient();
    control.add(makePolicy('a'), {
      state: 'refused',
      problem: { code: 'PC_MODULE_MISSING', message: 'no file' },
      lastFaults: [{ time: 1, code: 'PC_WASM_FUEL', message: 'out of fuel', uid: 'u' }],
    });
    const status = await send(`GET ${LIST}/a/status`, { as: 'viewer' });
    match(await status.text(), /"problem":\{"code":"PC_MODULE_MISSING"/);
    equal((await send(`GET ${LIST}/b/status`, { as: 'viewer' })).status, 404);
  });

  test('faults of a document name code, place and key', async () => {
    const { send, control } = createManagementClient();
    const response = await send(`POST ${LIST}`, {
      as: 'editor',
      headers: YAML,
      body: documentOf('a', '  mod: audit\n'),
    });
    equal(response.status, 422);
    const told = await problem(response);
    deepEqual([told.code, told.line], ['PC_POLICY_KEY', 6]);
    match(told.detail, /^body:6:3: spec\.mod: unknown key/);
    ok(!control.calls.includes('put'));
  });

  for (const [what, body, status, code] of [
    ['broken YAML', 'a: [', 400, 'PC_POLICY_SYNTAX'],
    ['two documents', `${documentOf('a')}---\n${documentOf('b')}`, 400, 'PC_BODY'],
    ['nothing but a comment', '# none', 400, 'PC_POLICY_SYNTAX'],
    ['bytes that are not UTF-8', Uint8Array.of(0xff, 0xfe), 400, 'PC_BODY'],
    ['bad base64', documentOf('a').replace('AGFzbQEAAAA=', '"***"'), 422, 'PC_POLICY_BASE64'],
    ['another name than the path', documentOf('b'), 400, 'PC_BODY'],
    ['more than a document may have', 'x'.repeat(2 * 1024 ** 2), 413, 'PC_BODY_SIZE'],
  ] as const) {
    test(`${what}: ${status}`, async () => {
      const { send, control } = createManagementClient();
      const response = await send(`PUT ${LIST}/a`, { as: 'editor', headers: YAML, body });
      equal(response.status, status);
      equal((await problem(response)).code, code);
      deepEqual(control.calls, []);
    });
  }

  test('a body that does not say its length is cut off at the limit', async () => {
    const { api, tokens, control } = createManagementClient();
    let pulled = 0;
    const body = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const headers = { ...YAML, authorization: `Bearer ${tokens.editor}` };
    const request = new Request(`http://localhost${LIST}`, { method: 'POST', headers, body, duplex: 'half' });
    equal((await api.fetch(request, { remoteAddress: '' })).status, 413);
    ok(pulled < 20, `${pulled} chunks were read`);
    deepEqual(control.calls, []);
  });

  for (const type of [undefined, 'text/plain', 'application/x-www-form-urlencoded']) {
    test(`content type ${type ?? 'none'}: 415`, async () => {
      const { send } = createManagementClient();
      const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
      const body = new TextEncoder().encode(documentOf('a'));
      const response = await send(`POST ${LIST}`, { as: 'editor', headers, body });
      equal(response.status, 415);
      match((await problem(response)).detail, /`application\/yaml`/);
    });
  }

  test('what belongs to another source is a conflict', async () => {
    const { send, control } = createManagementClient();
    control.add(makePolicy('a'));
    control.refuse = new Fault('PC_CONFLICT', 'the policy `a` comes from a.yaml');
    const posted = await send(`POST ${LIST}`, { as: 'editor', headers: YAML, body: documentOf('a') });
    equal(posted.status, 409);
    const foreign = await send(`PUT ${LIST}/a`, { as: 'editor', headers: YAML, body: documentOf('a') });
    deepEqual([foreign.status, (await problem(foreign)).detail], [409, 'the policy `a` comes from a.yaml']);
    equal((await send(`DELETE ${LIST}/a`, { as: 'editor' })).status, 409);
    deepEqual(
      control.audited.map(({ result }) => result),
      ['PC_CONFLICT', 'PC_CONFLICT', 'PC_CONFLICT'],
    );
  });

  test('of a namespace are read with an encoded slash, and changed elsewhere', async () => {
    const { send, control } = createManagementClient();
    const { metadata, ...rest } = makePolicy('own');
    const name = 'team-a/own';
    control.add({ ...rest, metadata: { ...metadata, name, namespace: 'team-a' } });
    const read = await send(`GET ${LIST}/team-a%2Fown`, { as: 'viewer' });
    const { policy } = (await read.json()) as { policy: { kind: string; metadata: object } };
    deepEqual([policy.kind, policy.metadata], ['NamespacedPolicy', { name: 'own', namespace: 'team-a' }]);
    equal((await send(`GET ${LIST}/team-a%2Fown/status`, { as: 'viewer' })).status, 200);
    equal((await send(`GET ${LIST}/team-a/own`, { as: 'viewer' })).status, 404);

    const body = documentOf('own');
    for (const line of [`PUT ${LIST}/team-a%2Fown`, `DELETE ${LIST}/team-a%2Fown`]) {
      const refused = await send(line, {
        as: 'editor',
        headers: YAML,
        ...(line.startsWith('PUT') ? { body } : {}),
      });
      equal(refused.status, 409);
      const told = await problem(refused);
      deepEqual(
        [told.code, told.detail.split(':')[0]],
        ['PC_CONFLICT', '`team-a/own` is the name of a namespaced policy'],
      );
    }
    const namespaced = body
      .replace('kind: Policy', 'kind: NamespacedPolicy')
      .replace('name: own', 'name: own, namespace: team-a');
    const posted = await send(`POST ${LIST}`, { as: 'editor', headers: YAML, body: namespaced });
    deepEqual([posted.status, (await problem(posted)).code], [422, 'PC_POLICY_VALUE']);
    ok(!control.calls.includes('put') && !control.calls.includes('remove'));
  });

  test('may be groups, whose modules are shown only when they are wanted', async () => {
    const { send } = createManagementClient();
    const group = `apiVersion: portcullis.dev/v1
kind: PolicyGroup
metadata: { name: both }
spec:
  expression: a()
  message: not today
  members: { a: { module: { inline: AGFzbQEAAAA= } } }
`;
    equal((await send(`POST ${LIST}`, { as: 'editor', headers: YAML, body: group })).status, 201);
    const text = await (await send(`GET ${LIST}/both`, { as: 'viewer' })).text();
    match(text, /"kind":"PolicyGroup"/);
    ok(!text.includes('AGFzbQEAAAA='));
    match(await (await send(`GET ${LIST}/both?module=true`, { as: 'viewer' })).text(), /AGFzbQEAAAA=/);
  });

  test('two creations at once that must not replace: one wins', async () => {
    const { send } = createManagementClient();
    const headers = { ...YAML, 'if-none-match': '*' };
    const creation = { as: 'editor', headers, body: documentOf('a') } as const;
    const answers = await Promise.all([send(`POST ${LIST}`, creation), send(`POST ${LIST}`, creation)]);
    deepEqual(
      answers.map(({ status }) => status).sort((a, b) => a - b),
      [201, 412],
    );
  });

  test('an entity tag guards against lost updates', async () => {
    const { send } = createManagementClient();
    const put = (headers: Record<string, string>, extra = ''): Promise<Response> =>
      send(`PUT ${LIST}/a`, { as: 'editor', headers: { ...YAML, ...headers }, body: documentOf('a', extra) });
    equal((await put({ 'if-match': '*' })).status, 412, 'there is none yet');
    const first = await put({ 'if-none-match': '*' });
    equal(first.status, 201);
    equal((await put({ 'if-none-match': '*' })).status, 412);
    const tag = first.headers.get('etag') ?? '';
    match(tag, /^"[0-9a-f]{32}"$/);
    equal((await send(`GET ${LIST}/a`, { as: 'viewer' })).headers.get('etag'), tag);
    equal((await put({ 'if-match': `"other", ${tag}` }, '  mode: audit\n')).status, 200);
    equal((await put({ 'if-match': tag })).status, 412);
    const stale = { as: 'editor', headers: { 'if-match': tag } } as const;
    equal((await send(`DELETE ${LIST}/a`, stale)).status, 412);
  });

  test('an unexpected error says nothing to the client and everything to the log', async () => {
    const { send, control, log } = createManagementClient();
    control.refuse = new Error('connect to 10.1.2.3 failed');
    const response = await send(`PUT ${LIST}/a`, { as: 'editor', headers: YAML, body: documentOf('a') });
    equal(response.status, 500);
    const told = await problem(response);
    equal(told.detail, 'an unexpected error inside Portcullis');
    equal(log.lines[0]?.fields['reason'], 'connect to 10.1.2.3 failed');
    equal(control.audited[0]?.result, 'PC_INTERNAL');
    control.refuse = undefined;
    const after = await send(`PUT ${LIST}/a`, { as: 'editor', headers: YAML, body: documentOf('a') });
    equal(after.status, 201, 'later changes are not held up');
  });
});

test('no answer and no log line ever holds a token', async () => {
  const client: ManagementClient = createManagementClient();
  const texts: string[] = [];
  for (const role of ['viewer', 'editor', 'admin'] as const) {
    for (const line of [`GET ${LIST}`, `POST ${LIST}`, 'GET /api/v1/configuration', 'DELETE /plugins/x']) {
      const response = await client.send(line, { as: role, headers: { 'content-type': 'text/plain' } });
      texts.push(await response.text(), JSON.stringify([...response.headers]));
    }
  }
  const all = [...texts, JSON.stringify(client.log.lines), JSON.stringify(client.control.audited)].join('\n');
  for (const token of Object.values(client.tokens)) ok(!all.includes(token));
});

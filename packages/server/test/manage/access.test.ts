import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createToken, createTokenStore } from '../../src/manage/access/token-store.ts';
import { createManagementClient } from './management-client.ts';

const OPEN = new Set(['GET /healthz', 'GET /readyz', 'GET /health', 'GET /ready', 'GET /openapi.json']);

describe('access', () => {
  const { api } = createManagementClient();
  const operations = Object.entries(api.openApi.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      line: `${method.toUpperCase()} ${path.replace('{name}', 'a')}`,
      operation,
    })),
  );

  for (const { line, operation } of operations) {
    if (OPEN.has(line)) {
      test(`${line} is open`, async () => {
        const { send } = createManagementClient();
        deepEqual(operation.security, []);
        equal((await send(line)).status, 200);
      });
      continue;
    }
    for (const header of [undefined, 'Bearer wrong', 'Bearer ', 'Basic YTpi', `Bearer ${'x'.repeat(600)}`]) {
      test(`${line} with ${header?.slice(0, 20) ?? 'no token'} gives 401 and asks the server nothing`, async () => {
        const { send, control } = createManagementClient();
        const headers = header === undefined ? {} : { authorization: header };
        const body = line.startsWith('P') ? 'x' : undefined;
        const response = await send(line, { headers, ...(body === undefined ? {} : { body }) });
        equal(response.status, 401);
        equal(response.headers.get('www-authenticate'), 'Bearer realm="portcullis"');
        deepEqual([control.calls, control.audited], [[], []]);
        const text = await response.text();
        ok(!text.includes('wrong') || text.includes('"error"') || !text.includes('Bearer wrong'));
        if (!line.includes('/plugins')) match(text, /"code":"PC_AUTH_REQUIRED"/);
      });
    }
  }

  for (const { line, operation } of operations) {
    const needed = operation['x-role'];
    const lower = needed === 'admin' ? 'editor' : needed === 'editor' ? 'viewer' : undefined;
    if (lower === undefined) continue;
    test(`${line} needs ${needed}`, async () => {
      const { send, control } = createManagementClient();
      const response = await send(line, { as: lower });
      equal(response.status, 403);
      deepEqual([control.calls, control.audited], [[], []]);
      ok(await send(line, { as: 'admin' }).then(({ status }) => status !== 401 && status !== 403));
    });
  }

  test('metrics are open when the configuration says it', async () => {
    const { send } = createManagementClient({ metricsOpen: true });
    const response = await send('GET /metrics');
    equal(await response.text(), 'up 1\n');
    equal(response.headers.get('content-type'), 'text/plain; version=0.0.4');
    const closed = createManagementClient();
    equal((await closed.send('GET /metrics')).status, 401);
    equal((await closed.send('GET /metrics', { as: 'viewer' })).status, 200);
  });

  test('an address with many wrong tokens has to wait, even with a right one; others need not', async () => {
    const { send, advance } = createManagementClient();
    const wrong = { headers: { authorization: 'Bearer wrong' }, address: '10.0.0.1' };
    for (let attempt = 0; attempt < 20; attempt += 1) {
      equal((await send('GET /api/v1/status', wrong)).status, 401);
      advance(100);
    }
    const blocked = await send('GET /api/v1/status', { as: 'admin', address: '10.0.0.1' });
    equal(blocked.status, 429);
    equal(blocked.headers.get('retry-after'), '58');
    equal((await send('GET /healthz', { address: '10.0.0.1' })).status, 200);
    equal((await send('GET /api/v1/status', { as: 'admin', address: '10.0.0.2' })).status, 200);
    advance(58_000);
    equal((await send('GET /api/v1/status', { as: 'admin', address: '10.0.0.1' })).status, 200);
  });

  test('requests without any token are not counted as attempts', async () => {
    const { send } = createManagementClient();
    for (let attempt = 0; attempt < 30; attempt += 1) await send('GET /api/v1/status');
    equal((await send('GET /api/v1/status', { as: 'viewer' })).status, 200);
  });
});

describe('tokens', () => {
  test('a created token is found by its digest, and nothing else is', () => {
    const { token, sha256 } = createToken();
    match(token.reveal(), /^pcl_[\w-]{43}$/);
    const store = createTokenStore([{ name: 'ci', role: 'editor', sha256: sha256.toUpperCase() }]);
    deepEqual(store.find(token.reveal()), { name: 'ci', role: 'editor' });
    equal(store.find(`${token.reveal()}x`), undefined);
    equal(store.find(sha256), undefined);
    equal(store.find(''), undefined);
    ok(!JSON.stringify({ token }).includes(token.reveal()));
  });

  test('a digest that is none is a mistake of the caller', () => {
    throws(() => createTokenStore([{ name: 'ci', role: 'editor', sha256: 'abc' }]), {
      name: 'TypeError',
      message: 'the digest of token `ci` is not SHA-256 in hex',
    });
  });
});

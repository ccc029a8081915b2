import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { makeFault, makeRecord } from '../telemetry/make-record.ts';
import { createMemoryControlPlane } from './memory-control-plane.ts';
import { createManagementClient } from './management-client.ts';

describe('decisions', () => {
  test('are handed over with every filter', async () => {
    const control = createMemoryControlPlane([makeFault({ traceParent: 'x' }), makeRecord()]);
    const { send } = createManagementClient({ control });
    const query =
      'policy=a&outcome=deny&namespace=shop&uid=u&faulted=true&since=2026-01-31T12:00:00Z&limit=1000';
    const response = await send(`GET /api/v1/decisions?${query}`, { as: 'viewer' });
    equal(((await response.json()) as { items: object[] }).items.length, 2);
    await send('GET /api/v1/decisions?since=17&faulted=false', { as: 'viewer' });
    deepEqual(control.filters, [
      {
        policy: 'a',
        outcome: 'deny',
        namespace: 'shop',
        uid: 'u',
        faulted: true,
        since: Date.UTC(2026, 0, 31, 12),
        limit: 1000,
      },
      { since: 17, faulted: false, limit: 100 },
    ]);
  });

  for (const [query, detail] of [
    ['limit=0', 'query parameter `limit` must be a whole number from 1 to 1000, not `0`'],
    ['limit=1001', 'query parameter `limit` must be a whole number from 1 to 1000, not `1001`'],
    ['outcome=maybe', 'query parameter `outcome` must be `allow`, `deny` or `abstain`, not `maybe`'],
    ['since=yesterday', /^query parameter `since` must be milliseconds/],
    ['polcy=a', /^there is no query parameter `polcy`, there are `policy`/],
    ['uid=a&uid=b', 'query parameter `uid` stands twice'],
    ['__proto__=a', /^there is no query parameter `__proto__`/],
  ] as const) {
    test(`${query} is refused`, async () => {
      const { send, control } = createManagementClient();
      const response = await send(`GET /api/v1/decisions?${query}`, { as: 'viewer' });
      equal(response.status, 400);
      const told = (await response.json()) as { code: string; detail: string };
      equal(told.code, 'PC_QUERY');
      if (typeof detail === 'string') equal(told.detail, detail);
      else match(told.detail, detail);
      deepEqual(control.calls, []);
    });
  }
});

describe('health', () => {
  test('readiness tells its reasons, as JSON and as text', async () => {
    const { send, control } = createManagementClient();
    equal((await send('GET /readyz')).status, 200);
    control.ready = false;
    const json = await send('GET /readyz');
    equal(json.status, 503);
    deepEqual(await json.json(), {
      status: 'not ready',
      checks: [
        { name: 'policies', ok: true },
        { name: 'certificate serving', ok: false, message: 'it has expired' },
      ],
    });
    const text = await send('GET /readyz', { headers: { accept: 'text/plain' } });
    equal(text.status, 503);
    equal(await text.text(), '[+] policies ok\n[-] certificate serving: it has expired\nnot ready\n');
    equal(await (await send('GET /healthz', { headers: { accept: 'text/plain' } })).text(), 'ok\n');
  });

  test('alive does not mean ready', async () => {
    const { send, control } = createManagementClient();
    control.ready = false;
    equal((await send('GET /healthz')).status, 200);
  });
});

describe('the server', () => {
  test('tells its status and, to admins, its configuration', async () => {
    const { send } = createManagementClient();
    const status = (await (await send('GET /api/v1/status', { as: 'viewer' })).json()) as object;
    deepEqual(Object.keys(status).sort(), [
      'certificates',
      'lastReload',
      'ready',
      'revision',
      'startedAt',
      'threads',
      'version',
    ]);
    deepEqual(await (await send('GET /api/v1/configuration', { as: 'admin' })).json(), {
      log: { level: 'info' },
    });
  });
});

describe('in a cluster', () => {
  test('the status tells what is followed there, and who registers', async () => {
    const { send, control } = createManagementClient();
    const kubernetes = {
      server: 'https://10.0.0.1:6443',
      identity: 'portcullis-0',
      leader: 'portcullis-1',
      watches: [
        { name: 'policies', phase: 'watching', synced: true, items: 2, stalenessMs: 12 },
        { name: 'namespaces', phase: 'waiting', synced: false, items: 0, problem: 'forbidden' },
      ],
      registration: {
        state: 'registered',
        repairs: 1,
        notes: [{ policy: 'a', level: 'warning' as const, text: 'is never asked' }],
      },
    };
    control.kubernetes = kubernetes;
    const status = (await (await send('GET /api/v1/status', { as: 'viewer' })).json()) as object;
    deepEqual('kubernetes' in status && status.kubernetes, kubernetes);
    // The one without registration and leader, as the document describes it too.
    control.kubernetes = { server: 'https://10.0.0.1:6443', identity: 'portcullis-0', watches: [] };
    equal((await send('GET /api/v1/status', { as: 'viewer' })).status, 200);
  });

  test('exceptions tell state, end, reason and problem', async () => {
    const { send, control } = createManagementClient();
    control.excepted = [
      {
        name: 'broken',
        state: 'refused',
        origin: 'a.yaml',
        problem: { code: 'PC_POLICY_KEY', message: 'x' },
      },
      { name: 'ever', state: 'active', origin: 'a.yaml', policies: ['*'], expires: 'never', reason: 'y' },
      { name: 'over', state: 'expired', origin: 'a.yaml', policies: ['a'], expires: 17, reason: 'z' },
    ];
    const listed = await send('GET /api/v1/exceptions', { as: 'viewer' });
    deepEqual(await listed.json(), { items: control.excepted });
    equal((await send('GET /api/v1/exceptions')).status, 401);
    equal((await send('POST /api/v1/exceptions', { as: 'admin' })).status, 405);
  });
});

describe('methods and paths', () => {
  test('HEAD answers as GET does, without a body', async () => {
    const { send } = createManagementClient();
    const head = await send('HEAD /api/v1/policies', { as: 'viewer' });
    deepEqual([head.status, await head.text()], [200, '']);
    equal((await send('HEAD /api/v1/policies')).status, 401);
  });

  test('another method is refused with those that there are', async () => {
    const { send } = createManagementClient();
    const refused = await send('PATCH /api/v1/policies/a');
    equal(refused.status, 405);
    equal(refused.headers.get('allow'), 'GET, PUT, DELETE, HEAD, OPTIONS');
    equal(((await refused.json()) as { code: string }).code, 'PC_METHOD');
    const options = await send('OPTIONS /plugins');
    deepEqual([options.status, options.headers.get('allow')], [204, 'GET, POST, HEAD, OPTIONS']);
  });

  test('an unknown path is a problem too', async () => {
    const { send } = createManagementClient();
    for (const path of [
      '/',
      '/api/v1',
      '/api/v1/policies/',
      '/api/v2/policies',
      '/api/v1/policies/a/b',
      '//healthz',
    ]) {
      const response = await send(`GET ${path}`, { as: 'admin' });
      equal(response.status, 404, path);
      equal(response.headers.get('content-type'), 'application/problem+json');
    }
  });

  test('whatever is sent, the answer is a described one and never a 5xx', async () => {
    const { send } = createManagementClient();
    const paths = fc.oneof(
      fc.constantFrom(
        '/api/v1/policies',
        '/api/v1/policies/a',
        '/api/v1/policies/a/status',
        '/api/v1/decisions',
        '/plugins',
        '/plugins/a',
        '/readyz',
      ),
      fc.webPath(),
      fc.string().map((text) => `/plugins/${encodeURIComponent(text.toWellFormed())}`),
    );
    const requests = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'),
      path: paths,
      query: fc.webQueryParameters(),
      type: fc.constantFrom('application/json', 'application/yaml', 'application/wasm', 'text/plain'),
      body: fc.oneof(
        fc.json(),
        fc.string(),
        fc.uint8Array().map((bytes) => Uint8Array.from(bytes)),
        fc.constant('{"metadata":{"name":"a","version":"1"},"wasm_binary":"AGFzbQEAAAA="}'),
      ),
    });
    await fc.assert(
      fc.asyncProperty(requests, async ({ method, path, query, type, body }) => {
        const hasBody = method !== 'GET' && method !== 'HEAD';
        const line = `${method} ${path}${query === '' ? '' : `?${query}`}`;
        const headers = { 'content-type': type };
        const { status } = await send(line, { as: 'admin', headers, ...(hasBody ? { body } : {}) });
        ok(status < 500, `${line} → ${status}`);
      }),
      { seed: 11, numRuns: 500 },
    );
  });

  test('a name is decoded once', async () => {
    const { send } = createManagementClient();
    const response = await send('GET /api/v1/policies/a%2Fb%2520', { as: 'viewer' });
    match(await response.text(), /there is no policy `a\/b%20`/);
  });

  test('answers are not cached and not sniffed', async () => {
    const { send } = createManagementClient();
    for (const line of ['GET /healthz', 'GET /none', 'GET /api/v1/status']) {
      const { headers } = await send(line);
      deepEqual(
        [headers.get('cache-control'), headers.get('x-content-type-options')],
        ['no-store', 'nosniff'],
      );
    }
  });
});

describe('the OpenAPI document', () => {
  const { api, send } = createManagementClient();
  const { paths } = api.openApi;

  test('is served as it is', async () => {
    deepEqual(await (await send('GET /openapi.json')).json(), JSON.parse(JSON.stringify(api.openApi)));
    equal(api.openApi.openapi, '3.1.0');
  });

  test('describes every path that answers, with exactly its methods', async () => {
    const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
    const { api: other } = createManagementClient();
    for (const [path, operations] of Object.entries(paths)) {
      for (const method of methods) {
        const url = `http://localhost${path.replace('{name}', 'a')}`;
        const { status } = await other.fetch(new Request(url, { method }), { remoteAddress: '' });
        equal(
          status !== 405,
          operations[method.toLowerCase()] !== undefined,
          `${method} ${path} → ${status}`,
        );
        ok(status !== 404 || path.includes('{name}'), path);
      }
    }
  });

  test('the paths of the design are there', () => {
    deepEqual(Object.keys(paths).sort(), [
      '/api/v1/configuration',
      '/api/v1/decisions',
      '/api/v1/exceptions',
      '/api/v1/policies',
      '/api/v1/policies/{name}',
      '/api/v1/policies/{name}/status',
      '/api/v1/status',
      '/health',
      '/healthz',
      '/metrics',
      '/openapi.json',
      '/plugins',
      '/plugins/{name}',
      '/ready',
      '/readyz',
    ]);
  });

  test('every reference in it leads somewhere, and no operation id stands twice', () => {
    const text = JSON.stringify(api.openApi);
    const { schemas } = api.openApi.components as { schemas: object };
    const named = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name));
    deepEqual(
      [...named].filter((name) => name === undefined || !Object.hasOwn(schemas, name)),
      [],
    );
    deepEqual(
      Object.keys(schemas).filter((name) => !named.has(name)),
      [],
    );
    const ids = Object.values(paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    equal(new Set(ids).size, ids.length);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import type { RegistryObserver } from '../../src/oci/registry-observer.ts';
import { assertFault, LAYER, setUp } from './client-setup.ts';
import { refuse } from './fake-registry.ts';

for (const [status, code, tries] of [
  [400, 'PC_OCI_ANSWER', 1],
  [403, 'PC_OCI_FORBIDDEN', 1],
  [404, 'PC_OCI_NOT_FOUND', 1],
  [418, 'PC_OCI_ANSWER', 1],
  [500, 'PC_OCI_SERVER', 3],
  [503, 'PC_OCI_SERVER', 3],
] as const) {
  test(`answer ${status}`, async (t) => {
    const { registry, client, at } = await setUp(t);
    registry.intercept = ({ response }) => refuse(response, status);
    const fault = assertFault(await client.manifest(at('p:1')), code);
    assert.match(fault.message, new RegExp(`answer ${status} DENIED$`));
    assert.equal(registry.seen.length, tries);
  });
}

test('a registry that wants fewer requests gets fewer', async (t) => {
  const { registry, client, at, waits, advance } = await setUp(t);
  const digest = registry.put('p', '1', LAYER);
  let refusals = 1;
  registry.intercept = ({ response }) => {
    if (refusals-- <= 0) return false;
    response.setHeader('retry-after', '3');
    return refuse(response, 429, 'TOOMANYREQUESTS');
  };
  assert.equal(await client.digest(at('p:1')), digest);
  assert.deepEqual(waits, [3000]);
  // Past the deadline it is not waited for, and the next request is not sent.
  registry.intercept = ({ response }) => {
    response.setHeader('retry-after', '60');
    return refuse(response, 429);
  };
  const fault = assertFault(await client.digest(at('p:1')), 'PC_OCI_THROTTLED');
  assert.equal(fault.data['retryAfterMs'], 60_000);
  const sent = registry.seen.length;
  assertFault(await client.digest(at('p:1')), 'PC_OCI_THROTTLED');
  assert.equal(registry.seen.length, sent);
  registry.intercept = () => false;
  advance(60_001);
  assert.equal(await client.digest(at('p:1')), digest);
});

test('one failure of a registry is not the end', async (t) => {
  const { registry, client, at } = await setUp(t);
  const digest = registry.put('p', '1', LAYER);
  let failures = 0;
  registry.intercept = ({ request, response }) => {
    failures += 1;
    if (failures === 1) return refuse(response, 502);
    if (failures > 2) return false;
    request.socket.destroy();
    return true;
  };
  assert.equal(await client.digest(at('p:1')), digest);
});

test('a slow registry ends with the time that it has, or when the caller stops', async (t) => {
  const { registry, client, at } = await setUp(t);
  registry.intercept = ({ response }) => {
    response.writeHead(200).write('{');
    return true;
  };
  assertFault(await client.manifest(at('p:1'), { timeout: 50 }), 'PC_OCI_TIMEOUT');
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  assertFault(await client.manifest(at('p:1'), { signal: stop.signal }), 'PC_OCI_ABORTED');
});

test('every request is told: to whom, with what outcome, and how long it took', async (t) => {
  const told: [host: string, outcome: string, durationMs: number][] = [];
  const observer: RegistryObserver = { asked: (...call) => void told.push(call) };
  const { registry, client, at } = await setUp(t, { observer });
  const digest = registry.put('p', '1', LAYER);
  const answers = [503, 404, 403, 401, 418];
  registry.intercept = ({ response }) => {
    const status = answers.shift();
    return status !== undefined && refuse(response, status);
  };
  assert.equal(
    await client.digest(at('p:1')).then((answer) => isFault(answer) && answer.code),
    'PC_OCI_NOT_FOUND',
  );
  for (const _answer of [403, 401, 418]) await client.digest(at('p:1'));
  assert.equal(await client.digest(at('p:1')), digest);
  assert.deepEqual(
    told.map(([host, outcome]) => [host, outcome]),
    ['server_error', 'not_found', 'forbidden', 'unauthorized', 'other', 'ok'].map((outcome) => [
      registry.host,
      outcome,
    ]),
  );
  // Time passes by waiting only, and waits between two tries are no requests.
  assert.deepEqual([...new Set(told.map(([, , durationMs]) => durationMs))], [0]);
});

test('a registry that is away, or slow, is told as such', async (t) => {
  const told: string[] = [];
  const { client, at } = await setUp(t, { observer: { asked: (_host, outcome) => void told.push(outcome) } });
  const nobody = { registry: '127.0.0.1:1', repository: 'p', tag: '1' };
  assertFault(await client.digest(nobody), 'PC_OCI_UNREACHABLE');
  assert.deepEqual(told, ['unreachable', 'unreachable', 'unreachable']);
  assertFault(await client.digest(at('p:1'), { signal: AbortSignal.abort() }), 'PC_OCI_ABORTED');
  assert.equal(told.at(-1), 'aborted');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDnsLookup } from '../../src/capabilities/net/dns-lookup.ts';
import { clock } from '../support/test-host.ts';
import { asker, assertFault } from './support/ask.ts';

const CAPABILITY = 'net/v1/dns_lookup_host';

function setUp(lookup: (host: string) => Promise<readonly string[]>, allowPrivate = false) {
  return asker({ [CAPABILITY]: createDnsLookup({ runtime: { clock }, lookup, allowPrivate }) });
}

test('the addresses of a name, asked once for all who ask', async () => {
  const asked: string[] = [];
  const ask = setUp((host) => {
    asked.push(host);
    return Promise.resolve(['1.1.1.1', '2606:4700::1111', '1.1.1.1']);
  });
  const both = await Promise.all([ask(CAPABILITY, 'Example.COM.'), ask(CAPABILITY, 'example.com')]);
  for (const answer of both) assert.deepEqual(answer, { ips: ['1.1.1.1', '2606:4700::1111'] });
  assert.deepEqual(asked, ['example.com']);
});

test('addresses inside of the network are not told, unless the server is told to', async () => {
  const inside = (): Promise<readonly string[]> => Promise.resolve(['1.1.1.1', '10.0.0.1']);
  assertFault(await setUp(inside)(CAPABILITY, 'intranet.example'), 'PC_CAPABILITY_FAILED');
  assert.deepEqual(await setUp(inside, true)(CAPABILITY, 'intranet.example'), {
    ips: ['1.1.1.1', '10.0.0.1'],
  });
  const machine = (): Promise<readonly string[]> => Promise.resolve(['169.254.169.254']);
  assertFault(await setUp(machine, true)(CAPABILITY, 'metadata.example'), 'PC_CAPABILITY_FAILED');
  assertFault(await setUp(machine)(CAPABILITY, '127.0.0.1'), 'PC_CAPABILITY_FAILED');
  assert.deepEqual(await setUp(machine)(CAPABILITY, '8.8.8.8'), { ips: ['8.8.8.8'] });
});

test('what is no name is refused without asking', async () => {
  const ask = setUp(() => Promise.reject(new Error('asked')));
  for (const name of [
    '',
    'a b',
    'a..b',
    '-a.example',
    `${'a'.repeat(64)}.example`,
    'fe80::1%eth0',
    '127.1',
    '0x7f.1',
    'a/b',
    7,
  ]) {
    assertFault(await ask(CAPABILITY, name), 'PC_CAPABILITY_INPUT');
  }
});

test('a resolver that fails or is slow is a fault, and holds up two lookups at most', async () => {
  const failing = setUp(() => Promise.reject(Object.assign(new Error('secret text'), { code: 'ENOTFOUND' })));
  assertFault(
    await failing(CAPABILITY, 'none.example'),
    'PC_CAPABILITY_FAILED',
    /^the addresses of `none\.example` cannot be looked up \(ENOTFOUND\)$/,
  );
  const started: string[] = [];
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  const slow = setUp((host) => {
    started.push(host);
    return promise;
  });
  const asked = ['a', 'b', 'c'].map((name) => slow(CAPABILITY, `${name}.example`, 20));
  for (const answer of await Promise.all(asked)) assertFault(answer, 'PC_CAPABILITY_TIMEOUT');
  assert.deepEqual(started, ['a.example', 'b.example']);
  resolve(['1.1.1.1']);
  assert.deepEqual(await slow(CAPABILITY, 'c.example'), { ips: ['1.1.1.1'] });
});

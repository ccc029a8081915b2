import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/kernel/fault.ts';
import { Secret } from '../../src/kernel/secret.ts';
import { anonymousKeychain, type Credential } from '../../src/oci/auth/credential.ts';
import { assertFault, keychainOf, LAYER, me, setUp } from './client-setup.ts';
import { refuse } from './fake-registry.ts';

test('a token server is asked with our password, and its token is used until it is old', async (t) => {
  const { registry, client, at, advance } = await setUp(t, { keychain: keychainOf(me) });
  const digest = registry.put('team/p', '1', LAYER);
  const asked: string[] = [];
  registry.intercept = ({ request, response, url }) => {
    if (url.pathname === '/token') {
      asked.push(`${url.searchParams.get('service')} ${url.searchParams.get('scope')}`);
      assert.equal(request.headers.authorization, `Basic ${Buffer.from('me:hunter2').toString('base64')}`);
      response.writeHead(200).end(JSON.stringify({ access_token: `t${asked.length}`, expires_in: 100 }));
      return true;
    }
    if (request.headers.authorization === `Bearer t${asked.length}`) return false;
    const challenge = `Bearer realm="${registry.origin}/token",service="a, b",scope="repository:other:push"`;
    response.writeHead(401, { 'www-authenticate': challenge }).end();
    return true;
  };
  assert.equal(await client.digest(at('team/p:1')), digest);
  assert.equal(await client.digest(at('team/p:1')), digest);
  assert.deepEqual(asked, ['a, b repository:team/p:pull']);
  advance(81_000);
  assert.equal(await client.digest(at('team/p:1')), digest);
  assert.equal(asked.length, 2);
  // What one account was given is not used for another.
  const other = { keychain: anonymousKeychain };
  registry.intercept = ({ request, response }) => {
    assert.equal(request.headers.authorization, undefined);
    return refuse(response, 403);
  };
  assertFault(await client.digest(at('team/p:1'), other), 'PC_OCI_FORBIDDEN');
});

test('an identity token is exchanged, or shown as a password to an old token server', async (t) => {
  const credential: Credential = { kind: 'identity-token', token: new Secret('hunter2') };
  const { registry, client, at } = await setUp(t, { keychain: keychainOf(credential) });
  const digest = registry.put('p', '1', LAYER);
  let isOld = false;
  registry.intercept = ({ request, response, url, body }) => {
    if (url.pathname === '/token') {
      if (request.method === 'POST' && isOld) return refuse(response, 404);
      if (request.method === 'POST') {
        const form = new URLSearchParams(body.toString());
        assert.equal(form.get('grant_type'), 'refresh_token');
        assert.equal(form.get('refresh_token'), 'hunter2');
      } else {
        const basic = Buffer.from('<token>:hunter2').toString('base64');
        assert.equal(request.headers.authorization, `Basic ${basic}`);
      }
      response.writeHead(200).end(JSON.stringify({ token: 'good' }));
      return true;
    }
    if (request.headers.authorization === 'Bearer good') return false;
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${registry.origin}/token"` }).end();
    return true;
  };
  assert.equal(await client.digest(at('p:1')), digest);
  isOld = true;
  registry.put('q', '1', LAYER);
  assert.equal(await client.digest(at('q:1')), digest);
  // Bound to the credential: nothing of it leaks into the pool of the anonymous.
  assertFault(await client.digest(at('r:1')), 'PC_OCI_NOT_FOUND');
});

test('refused credentials are never replaced by none', async (t) => {
  const { registry, client, at } = await setUp(t, { keychain: keychainOf(me) });
  for (const challenge of ['Basic realm="x"', `Bearer realm="${registry.origin}/token"`]) {
    registry.intercept = ({ response, url }) => {
      response.writeHead(401, url.pathname === '/token' ? {} : { 'www-authenticate': challenge });
      response.end('hunter2');
      return true;
    };
    assertFault(await client.digest(at('p:1')), 'PC_OCI_UNAUTHORIZED');
  }
  assert.equal(registry.authorizations.filter((value) => value === '').length, 2);
  const broken = new Fault('PC_OCI_CREDENTIALS', 'cannot read');
  assert.equal(await client.digest(at('p:1'), { keychain: { find: async () => broken } }), broken);
});

for (const [name, challenge, code] of [
  ['nothing', undefined, 'PC_OCI_UNAUTHORIZED'],
  ['an unknown scheme', 'Negotiate', 'PC_OCI_UNAUTHORIZED'],
  ['a password that we do not have', 'Basic realm="x"', 'PC_OCI_UNAUTHORIZED'],
  ['a token server that is no URL', 'Bearer realm="nowhere"', 'PC_OCI_ANSWER'],
  ['a token server inside the machine', 'Bearer realm="http://169.254.169.254/token"', 'PC_OCI_ADDRESS'],
] as const) {
  test(`a challenge with ${name}`, async (t) => {
    const { registry, client, at } = await setUp(t);
    registry.intercept = ({ response }) => {
      response.writeHead(401, challenge === undefined ? {} : { 'www-authenticate': challenge }).end();
      return true;
    };
    assertFault(await client.digest(at('p:1')), code);
  });
}

for (const body of ['', '{}', '{"token":5}', '{"token":"a\\r\\nb"}', '["x"]']) {
  test(`a token server that answers ${JSON.stringify(body)}`, async (t) => {
    const { registry, client, at } = await setUp(t);
    registry.intercept = ({ response, url }) => {
      if (url.pathname === '/token') response.writeHead(200).end(body);
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="${registry.origin}/token"` }).end();
      return true;
    };
    assertFault(await client.digest(at('p:1')), 'PC_OCI_ANSWER');
  });
}

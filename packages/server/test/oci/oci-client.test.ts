import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Fault, isFault } from '../../src/kernel/fault.ts';
import type { Runtime } from '../../src/kernel/ports.ts';
import { Secret } from '../../src/kernel/secret.ts';
import { anonymousKeychain, type Credential, type Keychain } from '../../src/oci/auth/credential.ts';
import { createOciClient, type OciClientOptions } from '../../src/oci/create-oci-client.ts';
import type { OciClient } from '../../src/oci/oci-client.ts';
import { parseReference, type OciReference } from '../../src/oci/reference.ts';
import {
  descriptor,
  digestOf,
  MANIFEST_TYPE,
  refuse,
  startFakeRegistry,
  type FakeRegistry,
} from './fake-registry.ts';

const LAYER = Buffer.from('a module');
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const SECRETS = /hunter2|aHVudGVyMg|bWU6aHVudGVyMg/;

/** Time passes only by waiting, and waiting takes none. */
function fakeRuntime() {
  const waits: number[] = [];
  let now = 0;
  const runtime: Pick<Runtime, 'clock' | 'random' | 'after'> = {
    clock: { now: () => now, wall: () => 1_000_000 + now },
    random: () => 0.5,
    after(milliseconds, run) {
      waits.push(milliseconds);
      now += milliseconds;
      const handle = setImmediate(run);
      return () => clearImmediate(handle);
    },
  };
  return { runtime, waits, advance: (milliseconds: number) => (now += milliseconds) };
}

interface Setup {
  readonly registry: FakeRegistry;
  readonly client: OciClient;
  readonly waits: number[];
  advance(milliseconds: number): number;
  at(rest: string): OciReference;
}

async function setUp(t: TestContext, options: Partial<OciClientOptions> = {}): Promise<Setup> {
  const registry = await startFakeRegistry();
  const { runtime, waits, advance } = fakeRuntime();
  const client = createOciClient({
    runtime,
    keychain: anonymousKeychain,
    timeout: 20_000,
    allowPrivate: false,
    mirrors: [],
    plainHttp: () => true,
    userAgent: 'portcullis-test',
    ...options,
  });
  t.after(async () => {
    client.close();
    await registry.close();
  });
  return { registry, client, waits, advance, at: (rest) => referenceTo(registry, rest) };
}

function referenceTo({ host }: FakeRegistry, rest: string): OciReference {
  const reference = parseReference(`${host}/${rest}`);
  assert.ok(!isFault(reference));
  return reference;
}

const me: Credential = { kind: 'password', username: 'me', password: new Secret('hunter2') };
const keychainOf = (credential: Credential): Keychain => ({ find: async () => credential });

/** Holds a fault to its code, and to hold no secret. */
function assertFault(answer: unknown, code: string): Fault {
  assert.ok(isFault(answer), 'expected a fault');
  assert.equal(answer.code, code, answer.message);
  assert.doesNotMatch(`${answer.message} ${JSON.stringify(answer.data)} ${answer.stack}`, SECRETS);
  return answer;
}

test('manifest, configuration and blob by tag and by digest', async (t) => {
  const { registry, client, at } = await setUp(t);
  const digest = registry.put('team/policy', '1', LAYER);
  assert.equal(await client.digest(at('team/policy:1')), digest);
  const manifest = await client.manifest(at(`team/policy@${digest}`));
  assert.ok(!isFault(manifest) && manifest.content.kind === 'manifest');
  assert.equal(digestOf(manifest.bytes), digest);
  const [layer] = manifest.content.layers;
  assert.ok(layer);
  assert.deepEqual(await client.blob(at('team/policy:1'), layer, 100), LAYER);
  const configuration = await client.configuration(at('team/policy:1'));
  assert.ok(!isFault(configuration));
  assert.equal(Buffer.from(configuration.bytes).toString(), '{}');
});

test('a digest is its own answer', async (t) => {
  const { registry, client, at } = await setUp(t);
  const digest = `sha256:${'a'.repeat(64)}`;
  assert.equal(await client.digest(at(`x:1@${digest}`)), digest);
  assert.deepEqual(registry.seen, []);
});

test('a registry without a digest header, or without HEAD, is asked for the manifest', async (t) => {
  const { registry, client, at } = await setUp(t);
  const digest = registry.put('p', '1', LAYER);
  registry.intercept = ({ request, response }) => {
    if (request.method === 'HEAD') return refuse(response, 405, 'UNSUPPORTED');
    response.setHeader('docker-content-digest', '');
    response.writeHead(200, { 'content-type': MANIFEST_TYPE }).end(registry.manifests.get('p 1')?.bytes);
    return true;
  };
  assert.equal(await client.digest(at('p:1')), digest);
  registry.intercept = ({ response }) => {
    response.writeHead(200, { 'content-type': MANIFEST_TYPE }).end(registry.manifests.get('p 1')?.bytes);
    return true;
  };
  assert.equal(await client.digest(at('p:1')), digest);
});

test('a manifest that is not what was asked for, or contradicts itself', async (t) => {
  const { registry, client, at } = await setUp(t);
  const digest = registry.put('p', '1', LAYER);
  const bytes = registry.manifests.get('p 1')?.bytes ?? Buffer.alloc(0);
  const answerWith = (body: string | Buffer, headers: Record<string, string> = {}) => {
    registry.intercept = ({ response }) => {
      response.writeHead(200, { 'content-type': MANIFEST_TYPE, ...headers }).end(body);
      return true;
    };
  };
  answerWith(`${bytes.toString()} `);
  assertFault(await client.manifest(at(`p@${digest}`)), 'PC_OCI_DIGEST');
  answerWith(bytes, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` });
  assertFault(await client.manifest(at('p:1')), 'PC_OCI_DIGEST');
  answerWith(bytes, { 'content-type': INDEX_TYPE });
  assertFault(await client.manifest(at('p:1')), 'PC_OCI_ANSWER');
  answerWith(bytes, { 'content-type': 'text/html' });
  assertFault(await client.manifest(at('p:1')), 'PC_OCI_ANSWER');
  for (const body of [
    '<html>',
    '[]',
    '{"schemaVersion":1}',
    '{"schemaVersion":2}',
    '{"schemaVersion":2,"config":{},"layers":[]}',
  ]) {
    answerWith(body);
    assertFault(await client.manifest(at('p:1')), 'PC_OCI_ANSWER');
  }
  answerWith(Buffer.alloc(5 * 1024 ** 2, ' '));
  assertFault(await client.manifest(at('p:1')), 'PC_OCI_SIZE');
});

test('blobs that are truncated, too long, other bytes, or over the cap', async (t) => {
  const { registry, client, at } = await setUp(t);
  const blob = descriptor('x', LAYER);
  const sent: (Buffer | string)[] = ['a mod', 'a module and more', 'b module'];
  const codes = ['PC_OCI_SIZE', 'PC_OCI_SIZE', 'PC_OCI_DIGEST'];
  for (const [index, body] of sent.entries()) {
    registry.intercept = ({ response }) => {
      // Without a length, so that the count of bytes decides.
      response.writeHead(200).write(body);
      response.end();
      return true;
    };
    assertFault(await client.blob(at('p:1'), blob, 100), codes[index] ?? '');
  }
  registry.intercept = ({ response }) => {
    response.writeHead(200, { 'content-length': '8' }).write('a mo');
    setImmediate(() => response.destroy());
    return true;
  };
  assertFault(await client.blob(at('p:1'), blob, 100), 'PC_OCI_UNREACHABLE');
  assertFault(await client.blob(at('p:1'), blob, 7), 'PC_OCI_SIZE');
});

test('a redirect to another origin gets no credentials, one inside the origin keeps them', async (t) => {
  const { registry, client, at } = await setUp(t, { keychain: keychainOf(me) });
  const store = await startFakeRegistry();
  t.after(() => store.close());
  const blob = descriptor('x', LAYER);
  let target = `${store.origin}/signed?key=hunter2`;
  registry.intercept = ({ request, response, url }) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    } else if (url.pathname === '/inside') response.writeHead(200).end(LAYER);
    else response.writeHead(307, { location: target }).end();
    return true;
  };
  store.intercept = ({ response }) => {
    response.writeHead(200).end(LAYER);
    return true;
  };
  assert.deepEqual(await client.blob(at('p:1'), blob, 100), LAYER);
  assert.deepEqual(store.authorizations, ['']);
  store.intercept = ({ response }) => {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    return true;
  };
  assertFault(await client.blob(at('p:1'), blob, 100), 'PC_OCI_UNAUTHORIZED');
  assert.deepEqual(store.authorizations, ['', '']);
  target = '/inside';
  assert.deepEqual(await client.blob(at('p:1'), blob, 100), LAYER);
  for (target of ['ftp://x/y', 'http://user:hunter2@127.0.0.1/', 'http://[', '/v2/p/blobs/again']) {
    assertFault(await client.blob(at('p:1'), blob, 100), 'PC_OCI_ANSWER');
  }
});

test('a redirect does not lead to the addresses of the machine, or into a network that is not open', async (t) => {
  const { registry, client, at } = await setUp(t);
  for (const target of ['http://169.254.169.254/latest', 'http://10.0.0.1/', 'http://[::ffff:10.0.0.1]/']) {
    registry.intercept = ({ response }) => {
      response.writeHead(307, { location: target }).end();
      return true;
    };
    assertFault(await client.blob(at('p:1'), descriptor('x', LAYER), 100), 'PC_OCI_ADDRESS');
  }
});

test('a registry with a private address has to be allowed', async (t) => {
  const { client } = await setUp(t, { plainHttp: () => false });
  const reference = parseReference('127.0.0.1:1/p:1');
  const named = parseReference('localhost:1/p:1');
  assert.ok(!isFault(reference) && !isFault(named));
  assertFault(await client.digest(reference), 'PC_OCI_ADDRESS');
  assertFault(await client.digest(named), 'PC_OCI_ADDRESS');
});

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

test('mirrors are asked first, with their own credentials, and checked', async (t) => {
  const mirror = await startFakeRegistry();
  t.after(() => mirror.close());
  const { registry } = await setUp(t);
  const asked: string[] = [];
  const client = createOciClient({
    runtime: fakeRuntime().runtime,
    keychain: {
      async find(host) {
        asked.push(host);
        return host === registry.host ? me : undefined;
      },
    },
    timeout: 20_000,
    allowPrivate: false,
    mirrors: [{ registry: registry.host, endpoints: [`${mirror.origin}/cache/`] }],
    plainHttp: () => true,
    userAgent: 'portcullis-test',
  });
  t.after(() => client.close());
  const reference = referenceTo(registry, 'team/p:1');
  const digest = mirror.put('cache/team/p', '1', LAYER);
  let namespace: string | null = '';
  mirror.intercept = ({ url }) => {
    namespace = url.searchParams.get('ns');
    return false;
  };
  assert.equal(await client.digest(reference), digest);
  assert.equal(namespace, registry.host);
  assert.deepEqual([registry.seen, asked], [[], [mirror.host]]);

  registry.put('team/p', '1', LAYER);
  mirror.intercept = ({ response }) => {
    response.writeHead(200).end('b module');
    return true;
  };
  assert.deepEqual(await client.blob(reference, descriptor('x', LAYER), 100), LAYER);
  mirror.intercept = ({ response }) => refuse(response, 404);
  registry.intercept = ({ response }) => refuse(response, 403);
  const fault = assertFault(await client.digest(reference), 'PC_OCI_FORBIDDEN');
  assert.match(fault.message, /\(mirrors: `http:\/\/127/);
  assert.deepEqual(new Set(mirror.authorizations), new Set(['']));
});

test('referrers by the API with pages, and by the tag that stands in for it', async (t) => {
  const { registry, client, at } = await setUp(t);
  const digest = `sha256:${'a'.repeat(64)}`;
  const entries = ['sig', 'sbom', 'sig'].map((artifactType, index) => ({
    ...descriptor(MANIFEST_TYPE, Buffer.from(`${index}`)),
    artifactType,
  }));
  const index = (manifests: unknown) => Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
  registry.intercept = ({ response, url }) => {
    if (!url.pathname.startsWith('/v2/p/referrers/')) return false;
    const isSecond = url.searchParams.has('page');
    response.setHeader('content-type', INDEX_TYPE);
    if (!isSecond) response.setHeader('link', `<${url.pathname}?page=2>; rel="next"`);
    response.end(index(isSecond ? entries.slice(2) : entries.slice(0, 2)));
    return true;
  };
  const reference = { ...at('p:1'), digest };
  const found = await client.referrers(reference, { artifactType: 'sig' });
  assert.ok(!isFault(found));
  assert.deepEqual(
    found.map((entry) => entry.digest),
    [entries[0]?.digest, entries[2]?.digest],
  );
  registry.intercept = () => false;
  assert.deepEqual(await client.referrers(reference), []);
  registry.manifests.set(`p sha256-${'a'.repeat(64)}`, { type: INDEX_TYPE, bytes: index(entries) });
  const byTag = await client.referrers(reference, { artifactType: 'sbom' });
  assert.ok(!isFault(byTag));
  assert.deepEqual(
    byTag.map(({ artifactType }) => artifactType),
    ['sbom'],
  );
});

test('a push asks for the right to push, and sends what is not there', async (t) => {
  const { registry, client, at } = await setUp(t, { keychain: keychainOf(me) });
  let scope: string | null = null;
  registry.intercept = ({ request, response, url }) => {
    if (url.pathname === '/token') {
      scope = url.searchParams.get('scope');
      response.writeHead(200).end('{"token":"t"}');
      return true;
    }
    if (request.headers.authorization === 'Bearer t') return false;
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${registry.origin}/token"` }).end();
    return true;
  };
  const digest = await client.pushBlob(at('team/p:1'), LAYER);
  assert.equal(digest, digestOf(LAYER));
  assert.equal(scope, 'repository:team/p:pull,push');
  assert.deepEqual(registry.blobs.get(`team/p ${digestOf(LAYER)}`), LAYER);
  const before = registry.seen.length;
  await client.pushBlob(at('team/p:1'), LAYER);
  assert.deepEqual(registry.seen.slice(before), [`HEAD /v2/team/p/blobs/${digestOf(LAYER)}`]);
  const manifest = { bytes: Buffer.from('{"schemaVersion":2}'), mediaType: MANIFEST_TYPE };
  assert.equal(await client.pushManifest(at('team/p:1'), manifest), digestOf(manifest.bytes));
  assert.deepEqual(registry.manifests.get('team/p 1'), { type: MANIFEST_TYPE, bytes: manifest.bytes });
  const wrong = { ...at('team/p:1'), digest: digestOf(LAYER) };
  assertFault(await client.pushManifest(wrong, manifest), 'PC_OCI_DIGEST');
});

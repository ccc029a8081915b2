import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { sha256 } from '../../src/kernel/digest.ts';
import { isFault } from '../../src/kernel/fault.ts';
import { createUrlModuleSource, type UrlSourceOptions } from '../../src/sources/url/url-module-source.ts';
import { makeCertificate } from '../support/make-certificate.ts';
import { makePolicy } from '../support/make-policy.ts';
import { openTestCache } from '../support/test-cache.ts';

const BYTES = Buffer.from('not really wasm, which is not the business of a source');
const DIGEST = '0'.repeat(64);

const certificate = await makeCertificate();
const server = createServer(certificate, (request, response) => {
  const route = request.url ?? '';
  if (route.startsWith('/module')) response.end(BYTES);
  else if (route === '/same-origin') response.writeHead(302, { location: '/module' }).end();
  else if (route === '/elsewhere') response.writeHead(302, { location: 'https://example.org/module' }).end();
  else if (route === '/plain')
    response.writeHead(302, { location: `http://localhost:${port()}/module` }).end();
  else if (route === '/circle') response.writeHead(302, { location: '/circle' }).end();
  else if (route === '/large')
    response.writeHead(200, { 'content-length': 10_000 }).end(Buffer.alloc(10_000));
  else if (route === '/endless') endless(response);
  else if (route === '/silent') return;
  else if (route === '/broken')
    response.writeHead(200, { 'content-length': 100 }).write('x', () => response.destroy());
  else response.writeHead(404).end('nothing here');
});

function endless(response: NodeJS.WritableStream): void {
  const more = (): void => {
    while (response.writable && response.write(Buffer.alloc(1024)));
    response.once('drain', more);
  };
  more();
}

const port = (): number => (server.address() as AddressInfo).port;
before(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
after(() => {
  server.closeAllConnections();
  server.close();
});

async function fetchFrom(
  url: string,
  options: Partial<UrlSourceOptions> = {},
  demanded: string | undefined = DIGEST,
) {
  const source = createUrlModuleSource({
    maxModuleBytes: 5000,
    timeout: 2000,
    allowPrivate: true,
    allowWithoutDigest: false,
    ca: certificate.cert,
    ...options,
  });
  const module = { url, ...(demanded === undefined ? {} : { sha256: demanded }) };
  const result = await source.fetch(makePolicy('remote', { module }));
  return isFault(result) ? `${result.code}: ${result.message}` : Buffer.from(result).toString();
}

const at = (path: string): string => `https://localhost:${port()}${path}`;

test('downloads over https', async () => {
  assert.equal(await fetchFrom(at('/module')), BYTES.toString());
});

test('follows a redirect inside the origin', async () => {
  assert.equal(await fetchFrom(at('/same-origin')), BYTES.toString());
});

test('refuses a redirect to another origin or to http', async () => {
  for (const path of ['/elsewhere', '/plain']) {
    assert.match(await fetchFrom(at(path)), /^PC_MODULE_SOURCE: .* redirects to another origin/);
  }
});

test('gives up on a circle of redirects', async () => {
  assert.match(await fetchFrom(at('/circle')), /^PC_MODULE_FETCH: .* redirects more than 3 times/);
});

test('stops at the size cap, announced or not', async () => {
  assert.match(await fetchFrom(at('/large')), /^PC_MODULE_SIZE/);
  assert.match(await fetchFrom(at('/endless')), /^PC_MODULE_SIZE/);
});

test('stops waiting at the time limit', async () => {
  assert.match(await fetchFrom(at('/silent'), { timeout: 50 }), /^PC_MODULE_FETCH/);
});

test('a download that breaks off or is refused is a fault', async () => {
  assert.match(await fetchFrom(at('/broken')), /^PC_MODULE_FETCH: the download .* broke off/);
  assert.match(await fetchFrom(at('/missing')), /^PC_MODULE_FETCH: .* answered 404/);
});

test('demands a digest unless the configuration allows none', async () => {
  const source = createUrlModuleSource({
    maxModuleBytes: 1,
    timeout: 1,
    allowPrivate: true,
    allowWithoutDigest: false,
  });
  const refused = await source.fetch(makePolicy('remote', { module: { url: at('/module') } }));
  assert.equal(isFault(refused) && refused.message, '`module.url` needs `module.sha256`');
});

test('private addresses are refused by literal and by name', async () => {
  const strict = { allowPrivate: false };
  assert.match(
    await fetchFrom(`https://127.0.0.1:${port()}/module`, strict),
    /^PC_MODULE_SOURCE: .* private address/,
  );
  assert.match(
    await fetchFrom(`https://[::1]:${port()}/module`, strict),
    /^PC_MODULE_SOURCE: .* private address/,
  );
  assert.match(await fetchFrom(at('/module'), strict), /^PC_MODULE_SOURCE: .* private address/);
});

test('http, credentials and nonsense are refused, and queries are not shown', async () => {
  assert.match(await fetchFrom('http://localhost/module'), /must start with `https:\/\/`/);
  assert.match(await fetchFrom('https://user:secret@localhost/module'), /must not carry a user name/);
  assert.match(await fetchFrom('not a url'), /is not a URL/);
  assert.doesNotMatch(await fetchFrom(at('/missing?token=hunter2')), /hunter2/);
});

test('an untrusted certificate is refused', async () => {
  const other = await makeCertificate();
  assert.match(await fetchFrom(at('/module'), { ca: other.cert }), /^PC_MODULE_FETCH: .*certificate/);
});

test('a module of a known digest is downloaded once, and comes from the cache then', async (t) => {
  const { cache } = await openTestCache(t);
  const digest = sha256(BYTES);
  assert.equal(await fetchFrom(at('/module'), { cache }, digest), BYTES.toString());
  assert.equal(await fetchFrom('https://localhost:1/module', { cache }, digest), BYTES.toString());
  // The rules for addresses and sizes hold for what is in the cache too.
  assert.match(await fetchFrom('http://localhost:1/module', { cache }, digest), /^PC_MODULE_SOURCE/);
  assert.match(await fetchFrom(at('/module'), { cache, maxModuleBytes: 10 }, digest), /^PC_MODULE_SIZE/);
});

test('bytes of another digest, or of none that was demanded, are not kept', async (t) => {
  const { cache } = await openTestCache(t);
  await fetchFrom(at('/module'), { cache });
  const source = createUrlModuleSource({
    maxModuleBytes: 5000,
    timeout: 2000,
    allowPrivate: true,
    allowWithoutDigest: true,
    ca: certificate.cert,
    cache,
  });
  assert.ok(!isFault(await source.fetch(makePolicy('remote', { module: { url: at('/module') } }))));
  assert.equal(cache.counts().bytes, 0);
});

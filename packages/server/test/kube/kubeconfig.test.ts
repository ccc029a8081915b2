import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import * as fc from 'fast-check';
import { isFault } from '../../src/kernel/fault.ts';
import { createKubeConnection } from '../../src/kube/connection/create-kube-connection.ts';
import type { KubeConnection, KubeIdentity } from '../../src/kube/connection/kube-connection.ts';
import { parseKubeconfig } from '../../src/kube/connection/parse-kubeconfig.ts';
import { value } from './support/open-client.ts';
import { createFakeKubeHost } from './support/fake-kube-host.ts';

let directory = '';
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-kubeconfig-'));
  mkdirSync(join(directory, 'pki'));
  for (const name of ['ca', 'cert', 'key'])
    writeFileSync(join(directory, 'pki', `${name}.pem`), `file of ${name}`);
});
after(() => rmSync(directory, { recursive: true, force: true }));

const NAMES = ['blue', 'red', 'green', 'with space', '0'] as const;
const name = fc.constantFrom(...NAMES);
const base64 = fc.string({ minLength: 1 }).map((text) => Buffer.from(text).toString('base64'));
const maybe = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(some, { nil: undefined });
const headerText = fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/);

const cluster = fc
  .record({
    server: fc.constantFrom(
      'https://127.0.0.1:6443',
      'https://api.test',
      'https://[::1]:8443/k8s/c-1',
      'https://x.test/',
    ),
    'tls-server-name': maybe(headerText),
    trust: fc.constantFrom('none', 'file', 'data', 'insecure'),
    data: base64,
  })
  .map(({ trust, data, ...rest }) => ({
    ...rest,
    ...(trust === 'file' ? { 'certificate-authority': 'pki/ca.pem' } : {}),
    ...(trust === 'data' ? { 'certificate-authority-data': data } : {}),
    ...(trust === 'insecure' ? { 'insecure-skip-tls-verify': true } : {}),
  }));

const user = fc
  .record({ token: maybe(headerText), pair: fc.constantFrom('none', 'file', 'data', 'mixed'), data: base64 })
  .map(({ token, pair, data }) => ({
    token,
    ...(pair === 'file' ? { 'client-certificate': 'pki/cert.pem', 'client-key': 'pki/key.pem' } : {}),
    ...(pair === 'data' ? { 'client-certificate-data': data, 'client-key-data': data } : {}),
    ...(pair === 'mixed' ? { 'client-certificate': 'pki/cert.pem', 'client-key-data': data } : {}),
  }));

const kubeconfig = fc
  .record({
    clusters: fc.uniqueArray(fc.record({ name, cluster }), { selector: (entry) => entry.name, minLength: 1 }),
    users: fc.uniqueArray(fc.record({ name, user }), { selector: (entry) => entry.name, minLength: 1 }),
    contexts: fc.uniqueArray(
      fc.record({ name, context: fc.record({ cluster: name, user: name, namespace: maybe(headerText) }) }),
      { selector: (entry) => entry.name, minLength: 1 },
    ),
    'current-context': name,
  })
  .map((document) => ({ apiVersion: 'v1', kind: 'Config', ...document }));

async function ours(
  path: string,
  text: string,
): Promise<{ connection: KubeConnection; identity: KubeIdentity } | undefined> {
  const settings = parseKubeconfig([{ path, text }]);
  if (isFault(settings)) return undefined;
  const connection = createKubeConnection(settings, createFakeKubeHost());
  const identity = value(await connection.identity());
  return { connection, identity };
}

test('who we are and whom we trust is what the official client makes of the same kubeconfig', async () => {
  let usable = 0;
  await fc.assert(
    fc.asyncProperty(kubeconfig, async (document) => {
      const path = join(directory, 'config');
      const text = JSON.stringify(document);
      writeFileSync(path, text);
      const found = await ours(path, text);

      const official = new KubeConfig();
      official.loadFromFile(path);
      const context = official.getContextObject(official.getCurrentContext());
      const officialCluster = official.getCurrentCluster();
      const officialUser = official.getCurrentUser();
      // The official client goes on with what is missing; kubectl and we do not.
      if (context === null || officialCluster === null || officialUser === null) {
        assert.equal(found, undefined);
        return;
      }
      usable += 1;
      assert.ok(found !== undefined);
      const options: RequestOptions = {};
      await official.applyToHTTPSOptions(options);
      assert.equal(found.connection.server, officialCluster.server.replace(/\/$/, ''));
      assert.equal(found.connection.namespace, context.namespace ?? 'default');
      assert.equal(found.connection.insecure, options.rejectUnauthorized === false);
      assert.equal(found.connection.serverName, options.servername);
      assert.equal(found.identity.ca, asText(options.ca));
      assert.equal(found.identity.certificate?.cert, asText(options.cert));
      assert.equal(found.identity.certificate?.key.reveal(), asText(options.key));
      const headers = (options.headers ?? {}) as Readonly<Record<string, string>>;
      assert.equal(found.identity.authorization?.reveal(), headers['Authorization']);
    }),
    { seed: 4, numRuns: 400 },
  );
  assert.ok(usable > 40, `only ${usable} of the documents were usable`);
});

function asText(pem: unknown): string | undefined {
  return Buffer.isBuffer(pem) || typeof pem === 'string' ? pem.toString() : undefined;
}

const BASE = {
  clusters: [{ name: 'c', cluster: { server: 'https://api.test' } }],
  users: [{ name: 'u', user: {} as object }],
  contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  'current-context': 'x',
};
const parse = (document: object | string, context?: string): ReturnType<typeof parseKubeconfig> =>
  parseKubeconfig(
    [
      {
        path: '/home/me/.kube/config',
        text: typeof document === 'string' ? document : JSON.stringify(document),
      },
    ],
    context,
  );
const withUser = (one: object): object => ({ ...BASE, users: [{ name: 'u', user: one }] });
const withCluster = (one: object): object => ({ ...BASE, clusters: [{ name: 'c', cluster: one }] });

const REFUSALS: readonly (readonly [document: object | string, message: string])[] = [
  ['', 'the kubeconfig has no `current-context`; choose a context'],
  ['a: [', '`/home/me/.kube/config` is not well-formed YAML at line 1'],
  ['users: 3', '`/home/me/.kube/config` cannot be used: `users` has the wrong type or value'],
  [
    withUser({ token: 5 }),
    '`/home/me/.kube/config` cannot be used: `users.0.user.token` has the wrong type or value',
  ],
  [{ ...BASE, 'current-context': 'y' }, 'the kubeconfig has no context `y`'],
  [{ ...BASE, users: [] }, 'context `x` names the user `u`, which does not exist'],
  [{ ...BASE, clusters: [] }, 'context `x` names the cluster `c`, which does not exist'],
  [
    { ...BASE, clusters: [...BASE.clusters, ...BASE.clusters] },
    '`/home/me/.kube/config` has two entries with the name `c`',
  ],
  [withCluster({}), 'cluster `c` has no `server`'],
  [
    withCluster({ server: 'api.test:6443' }),
    'cluster `c`: `server` must be a URL that starts with `https://`',
  ],
  [
    withCluster({ server: 'https://a:b@api.test' }),
    'cluster `c`: `server` must have no user, query or fragment',
  ],
  [
    withCluster({ server: 'https://api.test', 'proxy-url': 'socks5://proxy.test' }),
    'cluster `c`: `proxy-url` must start with `http://` or `https://`; SOCKS proxies are not supported',
  ],
  [
    withCluster({ server: 'https://api.test', 'certificate-authority-data': '%' }),
    'cluster `c`: `certificate-authority-data` is not base64',
  ],
  [
    withCluster({
      server: 'https://api.test',
      'certificate-authority': 'ca',
      'insecure-skip-tls-verify': true,
    }),
    'cluster `c` has a certificate authority and `insecure-skip-tls-verify`; remove one of them',
  ],
  [
    withUser({ 'auth-provider': { name: 'gcp' } }),
    'user `u` has the auth-provider `gcp`, which Kubernetes removed; use `exec` with its plugin',
  ],
  [withUser({ 'client-certificate': 'a.pem' }), 'user `u` has only one of client certificate and client key'],
  [withUser({ token: 'a', username: 'b' }), 'user `u` has a token and a password; remove one of them'],
  [withUser({ 'as-groups': ['a'] }), 'user `u` impersonates without `as`'],
  [
    withUser({ exec: { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'x' } }),
    'user `u`: `exec.apiVersion` must be one of `client.authentication.k8s.io/v1`, `client.authentication.k8s.io/v1beta1`',
  ],
  [
    withUser({
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'x', interactiveMode: 'Always' },
    }),
    'user `u`: the exec plugin wants to ask a person; set `interactiveMode: Never`',
  ],
];

for (const [document, message] of REFUSALS) {
  test(`refused: ${message}`, () => {
    const fault = parse(document);
    assert.ok(isFault(fault));
    assert.equal(fault.code, 'PC_KUBE_CONFIG');
    assert.equal(fault.message, message);
  });
}

test('no fault quotes a token', () => {
  const secret = 's3cr3t-t0ken';
  const texts = [
    `users: [{name: u, user: {token: ${secret}\n`,
    `users:\n- name: u\n  user:\n    token: {"${secret}": 1}`,
    JSON.stringify(withUser({ token: secret, password: secret })),
    JSON.stringify(withUser({ 'client-key-data': `${secret}!` })),
    JSON.stringify(withCluster({ server: 'https://api.test', 'proxy-url': `socks5://me:${secret}@proxy` })),
  ];
  for (const text of texts) {
    const fault = parse(text);
    assert.ok(isFault(fault));
    assert.ok(!`${fault.message}${fault.stack}${JSON.stringify(fault.data)}`.includes(secret), fault.message);
  }
});

test('relative paths start from the folder of their own file, and the first file wins an entry', () => {
  const first = { users: [{ name: 'u', user: { tokenFile: 'token' } }], contexts: BASE.contexts };
  const second = {
    ...BASE,
    clusters: [{ name: 'c', cluster: { server: 'https://api.test', 'certificate-authority': '../ca.pem' } }],
    users: [{ name: 'u', user: { username: 'ignored' } }],
  };
  const settings = value(
    parseKubeconfig([
      { path: '/one/config', text: JSON.stringify(first) },
      { path: '/two/deep/config', text: JSON.stringify(second) },
    ]),
  );
  assert.deepEqual(settings.ca, { file: '/two/ca.pem' });
  assert.deepEqual(settings.user, { tokenFile: '/one/token' });
});

test('the commands of exec plugins: a bare name is left, a path is resolved', () => {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    args: ['a'],
    env: [{ name: 'K', value: 'v' }],
  };
  for (const [command, resolved] of [
    ['aws', 'aws'],
    ['./bin/aws', '/home/me/.kube/bin/aws'],
    ['/opt/aws', '/opt/aws'],
  ]) {
    const settings = value(parse(withUser({ exec: { ...exec, command } })));
    assert.deepEqual(settings.user.exec, {
      apiVersion: exec.apiVersion,
      args: ['a'],
      env: { K: 'v' },
      command: resolved,
      provideClusterInfo: false,
    });
  }
});

// Not in the comparison above: there the official client takes the file, kubectl the text.
test('a text in the kubeconfig goes before the file', () => {
  const both = {
    server: 'https://api.test',
    'certificate-authority': 'ca',
    'certificate-authority-data': 'YWJj',
  };
  const settings = value(parse(withCluster(both)));
  assert.ok(settings.ca !== undefined && 'text' in settings.ca);
  assert.equal(settings.ca.text.reveal(), 'abc');
});

test('credentials do not travel without TLS', () => {
  const document = {
    ...withUser({ token: 'abc' }),
    clusters: [{ name: 'c', cluster: { server: 'http://api.test' } }],
  };
  const settings = value(parse(document));
  assert.deepEqual(settings.user, {});
});

test('a context can be chosen', () => {
  const contexts = [...BASE.contexts, { name: 'y', context: { cluster: 'c', user: 'u', namespace: 'team' } }];
  const settings = value(parse({ ...BASE, contexts }, 'y'));
  assert.equal(settings.namespace, 'team');
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Secret } from '../../src/kernel/secret.ts';
import type { ConnectionSettings, ExecPlugin } from '../../src/kube/connection/connection-settings.ts';
import { createKubeConnection } from '../../src/kube/connection/create-kube-connection.ts';
import { inClusterSettings } from '../../src/kube/connection/in-cluster-settings.ts';
import type { KubeConnection, KubeIdentity } from '../../src/kube/connection/kube-connection.ts';
import { createFakeKubeHost, type FakeKubeHost } from './support/fake-kube-host.ts';
import { fault, value } from './support/open-client.ts';

let directory = '';
const place = (name: string): string => join(directory, name);
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-credentials-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

const authorizationOf = (identity: KubeIdentity): string | undefined => identity.authorization?.reveal();

test('a pod finds its way by its environment and the mounted files', async () => {
  const host = createFakeKubeHost();
  writeFileSync(place('namespace'), 'team\n');
  writeFileSync(place('token'), 'first\n');
  writeFileSync(place('ca.crt'), 'authority');
  const mount = directory;
  const settings = value(await inClusterSettings({ host: '10.0.0.1', port: '443', mount }, host));
  assert.equal(settings.server, 'https://10.0.0.1');
  assert.equal(settings.namespace, 'team');
  const identity = value(await createKubeConnection(settings, host).identity());
  assert.equal(identity.ca, 'authority');
  assert.equal(authorizationOf(identity), 'Bearer first');
  const six = value(await inClusterSettings({ host: 'fd00::1', port: '6443', mount: '/nowhere' }, host));
  assert.equal(six.server, 'https://[fd00::1]:6443');
  assert.equal(six.namespace, 'default');
  for (const place_ of [
    { host: undefined, port: '443' },
    { host: 'a', port: '' },
    { host: 'a/b', port: '1' },
  ]) {
    assert.equal(fault(await inClusterSettings(place_, host)).code, 'PC_KUBE_CONFIG');
  }
});

function connect(host: FakeKubeHost, user: ConnectionSettings['user'], rest: object = {}): KubeConnection {
  const settings = { server: 'https://api.test', insecure: false, namespace: 'default', user, ...rest };
  return createKubeConnection(settings, host);
}

test('a token file is read again after a minute, and at once when the token is refused', async () => {
  const host = createFakeKubeHost();
  writeFileSync(place('rotated'), 'one');
  const connection = connect(host, { tokenFile: place('rotated') });
  const first = value(await connection.identity());
  writeFileSync(place('rotated'), 'two');
  host.advance(59_000);
  assert.equal(value(await connection.identity()), first);
  host.advance(1000);
  assert.equal(authorizationOf(value(await connection.identity())), 'Bearer two');
  writeFileSync(place('rotated'), 'three');
  const refused = value(await connection.identity());
  assert.equal(authorizationOf(value(await connection.renew(refused))), 'Bearer three');
  writeFileSync(place('rotated'), 'four');
  // Somebody else renewed it already: no further look.
  assert.equal(authorizationOf(value(await connection.renew(refused))), 'Bearer three');
  rmSync(place('rotated'));
  host.advance(60_000);
  assert.equal(authorizationOf(value(await connection.identity())), 'Bearer three');
  assert.equal(host.lines.at(-1)?.message, 'a credential file cannot be read; its last contents stay in use');
  writeFileSync(place('rotated'), ' \n');
  host.advance(60_000);
  assert.equal(authorizationOf(value(await connection.identity())), 'Bearer three');
});

test('a file that was never there is a fault, unless the kubeconfig has a token, too', async () => {
  const host = createFakeKubeHost();
  const found = fault(await connect(host, { tokenFile: place('absent') }).identity());
  assert.equal(found.code, 'PC_KUBE_CREDENTIALS');
  const both = connect(host, { tokenFile: place('absent'), token: new Secret('fixed') });
  assert.equal(authorizationOf(value(await both.identity())), 'Bearer fixed');
});

test('names and passwords, and whom we act for', async () => {
  const host = createFakeKubeHost();
  const basic = connect(host, { basic: { username: 'a', password: new Secret('b') } });
  assert.equal(authorizationOf(value(await basic.identity())), 'Basic YTpi');
  const impersonate = { user: 'u', uid: '1', groups: ['g', 'h'], extra: { 'a/b': ['c'] } };
  assert.deepEqual(connect(host, { impersonate }).headers, {
    'impersonate-user': 'u',
    'impersonate-uid': '1',
    'impersonate-group': ['g', 'h'],
    'impersonate-extra-a%2Fb': ['c'],
  });
});

const PLUGIN: ExecPlugin = {
  apiVersion: 'client.authentication.k8s.io/v1',
  command: 'login',
  args: ['--now'],
  env: { A: 'b' },
  provideClusterInfo: true,
  installHint: 'install it',
  clusterConfig: { x: 1 },
};
const credential = (status: object): { code: number; stdout: string } => ({
  code: 0,
  stdout: JSON.stringify({ apiVersion: PLUGIN.apiVersion, kind: 'ExecCredential', status }),
});

test('an exec plugin is told the cluster, and runs again when its answer has expired or is refused', async () => {
  const host = createFakeKubeHost();
  const expires = (inMilliseconds: number): string =>
    new Date(host.clock.wall() + inMilliseconds).toISOString();
  writeFileSync(place('exec-ca'), 'authority');
  const connection = connect(host, { exec: PLUGIN }, { ca: { file: place('exec-ca') }, serverName: 'other' });
  host.answer = () => credential({ token: 'one', expirationTimestamp: expires(600_000) });
  const [first, same] = await Promise.all([connection.identity(), connection.identity()]);
  assert.equal(first, same);
  assert.equal(authorizationOf(value(first)), 'Bearer one');
  assert.equal(host.commands.length, 1);
  const [run] = host.commands;
  assert.ok(run !== undefined);
  const { env, ...command } = run;
  assert.deepEqual(command, { command: 'login', args: ['--now'], timeout: 60_000 });
  assert.equal(env['A'], 'b');
  assert.deepEqual(JSON.parse(env['KUBERNETES_EXEC_INFO'] ?? ''), {
    apiVersion: PLUGIN.apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      cluster: {
        server: 'https://api.test',
        'tls-server-name': 'other',
        'certificate-authority-data': Buffer.from('authority').toString('base64'),
        config: { x: 1 },
      },
    },
  });
  // The wall clock does not decide.
  host.jump(86_400_000);
  host.advance(599_000);
  assert.equal(value(await connection.identity()), value(first));
  host.answer = () => credential({ token: 'two', clientCertificateData: 'cert', clientKeyData: 'key' });
  host.advance(1000);
  const second = value(await connection.identity());
  assert.equal(authorizationOf(second), 'Bearer two');
  assert.equal(second.certificate?.key.reveal(), 'key');
  host.answer = () => credential({ token: 'three' });
  // Refused right away: not more often than every five seconds.
  assert.equal(value(await connection.renew(second)), second);
  host.advance(5000);
  assert.equal(authorizationOf(value(await connection.renew(second))), 'Bearer three');
  assert.equal(host.commands.length, 3);
});

const BAD: readonly (readonly [answer: ReturnType<FakeKubeHost['answer']>, reason: string])[] = [
  [Object.assign(new Error('x'), { code: 'ENOENT' }), 'there is no such command (install it)'],
  [new Error('x'), 'it cannot be run (install it)'],
  [{ code: 3, stdout: 's3cr3t' }, 'it ended with 3'],
  [{ code: undefined, stdout: '' }, 'it ended with a signal, or took too long'],
  [{ code: 0, stdout: 's3cr3t' }, 'its output is not JSON'],
  [{ code: 0, stdout: '{}' }, 'its output is no ExecCredential of `client.authentication.k8s.io/v1`'],
  [credential({}), 'its output has neither token nor certificate'],
  [
    credential({ clientKeyData: 's3cr3t' }),
    'its output has only one of `clientCertificateData` and `clientKeyData`',
  ],
  [credential({ token: 's3cr3t', expirationTimestamp: 'soon' }), 'its `expirationTimestamp` is not a time'],
];
for (const [answer, reason] of BAD) {
  test(`an exec plugin that fails: ${reason}`, async () => {
    const host = createFakeKubeHost();
    host.answer = () => answer;
    const found = fault(await connect(host, { exec: PLUGIN }).identity());
    assert.equal(found.code, 'PC_KUBE_CREDENTIALS');
    assert.equal(found.message, `the exec plugin \`login\` gave no credentials: ${reason}`);
  });
}

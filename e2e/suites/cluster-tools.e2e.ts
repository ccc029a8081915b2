import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createHttpsClient } from '../support/https-client.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { createHelm } from '../support/helm.ts';
import { startKubeApiserver, type KubeApiserver } from '../support/kube-apiserver.ts';
import { at, collectionPath, configMap } from '../support/kubernetes-objects.ts';
import type { CommandResult } from '../support/run-command.ts';
import { createServiceAccount } from '../support/service-account.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

// What suites about life in a cluster stand on: Helm, service accounts, API servers that go and come back.
describeWithKubernetes(
  'cluster tools',
  () => {
    let kube: KubeApiserver;
    let directory: string;

    before(async () => {
      directory = await createWorkDirectory('cluster-tools');
      kube = await startKubeApiserver({ directory: await createWorkDirectory('cluster-tools-kubernetes') });
    });

    after(async () => {
      await kube?.stop();
    });

    test('Helm lints, installs, upgrades and uninstalls a chart', async () => {
      const chart = await writeChart(join(directory, 'chart'));
      const helm = await createHelm({ directory, kubeconfigPath: kube.kubeconfigPath });
      const done = async (...args: string[]): Promise<CommandResult> => {
        const result = await helm(args);
        equal(result.code, 0, `helm ${args[0]}: ${result.stderr}`);
        return result;
      };
      match((await done('version')).stdout, /v4\.3\.1/);
      await done('lint', '--strict', chart);
      match((await done('template', 'small', chart)).stdout, /greeting: "hello"/);
      await done('install', 'small', chart, '--namespace', 'helm', '--create-namespace');
      const path = '/api/v1/namespaces/helm/configmaps/small';
      equal(at((await kube.request('GET', path)).body, 'data', 'greeting'), 'hello');
      await done('upgrade', 'small', chart, '--namespace', 'helm', '--set', 'greeting=good day');
      equal(at((await kube.request('GET', path)).body, 'data', 'greeting'), 'good day');
      const listed: unknown = JSON.parse((await done('list', '-n', 'helm', '-o', 'json')).stdout);
      deepEqual([at(listed, 0, 'name'), at(listed, 0, 'revision')], ['small', '2']);
      notEqual((await helm(['install', 'bad', chart, '--set', 'greeting=7'])).code, 0, 'the schema');
      await done('uninstall', 'small', '--namespace', 'helm');
      equal((await kube.request('GET', path)).status, 404);
    });

    test('a service account may what its roles say, with a token that is renewed and revoked', async () => {
      const account = await createServiceAccount({
        kube,
        directory,
        namespace: 'ours',
        name: 'reader',
        clusterRules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['list'] }],
        rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['one'], verbs: ['get'] }],
      });
      equal(account.username, 'system:serviceaccount:ours:reader');
      equal((await account.request('GET', '/api/v1/namespaces')).status, 200);
      equal((await account.request('GET', '/api/v1/namespaces/ours')).status, 403);
      equal((await account.request('GET', '/api/v1/namespaces/ours/configmaps/one')).status, 404);
      equal((await account.request('GET', '/api/v1/namespaces/ours/configmaps/two')).status, 403);
      const options = ['--kubeconfig', account.kubeconfigPath];
      const listed = await kube.kubectl([...options, 'get', 'namespaces', '--output', 'name']);
      match(listed.stdout, /^namespace\/ours$/m);
      const whoAmI = await kube.kubectl([...options, 'auth', 'whoami', '--output', 'json']);
      equal(at(JSON.parse(whoAmI.stdout), 'status', 'userInfo', 'username'), account.username);

      const first = account.token();
      const second = await account.renewToken();
      notEqual(second, first);
      equal(await readFile(join(account.mount, 'token'), 'utf8'), second);
      await account.writeToken('no longer valid');
      equal((await account.request('GET', '/api/v1/namespaces')).status, 401);
      await account.renewToken();
      equal((await account.request('GET', '/api/v1/namespaces')).status, 200);
      // The API server believes in a token that it has seen for another 10 s.
      await account.renewToken();
      const path = '/api/v1/namespaces/ours/serviceaccounts/reader';
      equal((await kube.request('DELETE', path)).status, 200);
      equal((await account.request('GET', '/api/v1/namespaces')).status, 401);
    });

    test('an API server is reached through a proxy that breaks its connections', async (t) => {
      const proxy = await startFaultProxy({ target: kube.port });
      t.after(() => proxy.close());
      const url = `https://127.0.0.1:${proxy.port}`;
      const client = createHttpsClient({ url, caPem: kube.caPem, token: kube.token });
      t.after(() => client.close());
      const get = (): Promise<number | string> =>
        client.request('GET', '/api/v1/namespaces').then(
          ({ status }) => status,
          (error: NodeJS.ErrnoException) => error.code ?? error.message,
        );
      equal(await get(), 200);
      proxy.accept(false);
      equal(proxy.inject('cut'), 1);
      equal(await get(), 'ECONNRESET');
      proxy.accept(true);
      // Bytes in the wrong order are no TLS: the first kind is found by the server, the second here.
      proxy.setRandom({ seed: 1, meanBytes: 1000, kinds: ['swap', 'repeat'] });
      const outcomes = [];
      for (let round = 0; round < 10; round += 1) outcomes.push(await get());
      ok(
        outcomes.some((outcome) => outcome !== 200),
        outcomes.join(),
      );
      proxy.setRandom(undefined);
      proxy.inject('cut');
      equal(await get(), 200);
    });

    test('halted it keeps its data, replaced it begins anew', async () => {
      const made = configMap({ name: 'kept' }, { a: 'b' });
      for (let round = 0; round < 20; round += 1) {
        const name = `filler-${round}`;
        equal((await kube.request('POST', collectionPath(made), configMap({ name }, {}))).status, 201);
      }
      const first = await kube.request('POST', collectionPath(made), made);
      equal(first.status, 201, first.text);
      const path = `${collectionPath(made)}/kept`;
      equal((await kube.halt()).signal, null);
      await kube.restart();
      const kept = await kube.request('GET', path);
      deepEqual(at(kept.body, 'metadata'), at(first.body, 'metadata'));
      await kube.replace();
      equal((await kube.request('GET', path)).status, 404);
      const second = await kube.request('POST', collectionPath(made), made);
      const version = (body: unknown): number => Number(at(body, 'metadata', 'resourceVersion'));
      ok(version(second.body) < version(first.body), 'resource versions go back');
      notEqual(at(second.body, 'metadata', 'uid'), at(first.body, 'metadata', 'uid'));
    });
  },
  ['kubernetes-1.36', 'helm-4'],
);

async function writeChart(directory: string): Promise<string> {
  await mkdir(join(directory, 'templates'), { recursive: true });
  const schema = { type: 'object', properties: { greeting: { type: 'string' } } };
  await Promise.all([
    writeFile(
      join(directory, 'Chart.yaml'),
      'apiVersion: v2\nname: small\nversion: 1.0.0\ndescription: small\nicon: https://portcullis.test/icon.svg\n',
    ),
    writeFile(join(directory, 'values.yaml'), 'greeting: hello\n'),
    writeFile(join(directory, 'values.schema.json'), JSON.stringify(schema)),
    writeFile(
      join(directory, 'templates', 'config-map.yaml'),
      [
        'apiVersion: v1',
        'kind: ConfigMap',
        'metadata:',
        '  name: {{ .Release.Name }}',
        'data:',
        '  greeting: {{ .Values.greeting | quote }}\n',
      ].join('\n'),
    ),
  ]);
  return directory;
}

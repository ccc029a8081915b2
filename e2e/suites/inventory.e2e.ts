import { deepEqual, doesNotMatch, equal, match } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { createAuthority, issueServerCertificate } from '../support/certificates.ts';
import { endToEndRequired, missingComponent, opaBinary } from '../support/components.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { freePorts } from '../support/free-ports.ts';
import { createHttpsClient, type HttpsClient } from '../support/https-client.ts';
import { startKubeApiserver, type KubeApiserver } from '../support/kube-apiserver.ts';
import {
  at,
  collectionPath,
  configMap,
  namespace,
  pod,
  validatingWebhookConfiguration,
  type KubernetesObject,
} from '../support/kubernetes-objects.ts';
import { portcullisConfig, writePolicy, writePortcullisFiles } from '../support/portcullis-config.ts';
import { startPortcullis, type Portcullis } from '../support/portcullis.ts';
import { runCommand } from '../support/run-command.ts';
import { createServiceAccount } from '../support/service-account.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'packages/server/src/cli/main.js');
const FOLDER = join(ROOT, 'policies/namespace-registries-rego');
const MODULE = join(FOLDER, 'namespace-registries-rego.wasm');
const TEAM = 'registries-1';
const FREE = 'registries-2';
const READS = {
  limits: { timeout: '10s' },
  capabilities: ['kubernetes/inventory'],
  contextAwareResources: [
    { apiVersion: 'v1', kind: 'ConfigMap' },
    { apiVersion: 'v1', kind: 'Namespace' },
  ],
};
const PODS = { resources: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }] };
/** Both dialects, by one module. */
const DIALECTS = {
  gatekeeper: { engine: 'gatekeeper', entrypoint: 'namespace_registries/violation' },
  opa: { engine: 'opa', entrypoint: 'namespace_registries/main' },
} as const;
const GOOD = 'registry.test/app:1';
const OTHER = 'elsewhere.test/app:1';

// Policies in Rego see objects of the cluster as data, and a real API server has them.
describeWithKubernetes('policies in Rego and the cluster', () => {
  let kube: KubeApiserver;
  let portcullis: Portcullis;
  let client: HttpsClient;
  let directory: string;

  const create = (object: KubernetesObject, query = ''): ReturnType<KubeApiserver['request']> =>
    kube.request('POST', collectionPath(object) + query, object);
  const tryPod = (image: string, where = TEAM): ReturnType<KubeApiserver['request']> =>
    create(pod({ name: 'web', namespace: where }, image), '?dryRun=All');
  const judge = async (policy: string, image: string, where = TEAM): Promise<string> => {
    const { body } = await client.request('POST', `/admission/validate/${policy}`, reviewOf(image, where));
    return at(body, 'response', 'allowed') === true
      ? 'allowed'
      : String(at(body, 'response', 'status', 'message'));
  };

  before(async () => {
    directory = await createWorkDirectory('inventory');
    kube = await startKubeApiserver({ directory: await createWorkDirectory('inventory-kubernetes') });
    equal((await create(namespace(TEAM))).status, 201);
    equal((await create(namespace(FREE, { registries: 'any' }))).status, 201);
    const account = await createServiceAccount({
      kube,
      directory,
      namespace: 'portcullis',
      name: 'portcullis',
      clusterRules: [{ apiGroups: [''], resources: ['configmaps', 'namespaces'], verbs: ['list', 'watch'] }],
    });
    const authority = await createAuthority();
    const files = await writePortcullisFiles(directory, await issueServerCertificate(authority));
    const bytes = await readFile(MODULE);
    for (const [name, dialect] of Object.entries(DIALECTS)) {
      await writePolicy(files.policies, name, bytes, { ...dialect, ...READS, match: PODS });
    }
    // The policy may, the server may not.
    const nodes = [{ apiVersion: 'v1', kind: 'Node' }];
    await writePolicy(files.policies, 'blind', bytes, {
      ...DIALECTS.gatekeeper,
      ...READS,
      contextAwareResources: nodes,
      match: PODS,
    });
    const [port = 0, managementPort = 0] = await freePorts(2);
    const kubernetes = {
      enabled: true,
      kubeconfig: account.kubeconfigPath,
      resources: false,
      configMaps: '',
      namespaceLabels: false,
    };
    const config = portcullisConfig({ files, port, managementPort, sections: { kubernetes } });
    portcullis = await startPortcullis({ directory, config, managementPort });
    client = createHttpsClient({ url: `https://127.0.0.1:${port}`, caPem: authority.pem });
    for (const name of Object.keys(DIALECTS)) {
      for (const where of [TEAM, FREE]) {
        const hook = validatingWebhookConfiguration({
          name: `${name}-${where}`,
          url: `https://127.0.0.1:${port}/admission/validate/${name}`,
          caPem: authority.pem,
          namespace: where,
        });
        equal((await create(hook)).status, 201);
      }
    }
    await waitUntil(async () => (await tryPod(OTHER)).status >= 400, { what: 'the webhooks to act' });
  });

  after(async () => {
    client?.close();
    const exit = await portcullis?.stop();
    await kube?.stop();
    deepEqual(exit, { code: 0, signal: null }, portcullis?.logs());
  });

  test('what is created, changed and deleted in the cluster is what the next reviews see', async () => {
    const denied = await tryPod(GOOD);
    match(
      denied.text,
      /the image \\"registry\.test\/app:1\\" of container \\"app\\" is from none of the registries that the namespace \\"registries-1\\" names/,
    );
    const registries = configMap({ name: 'registries', namespace: TEAM }, { prefixes: 'registry.test/\n' });
    equal((await create(registries)).status, 201);
    await waitUntil(async () => (await tryPod(GOOD)).status === 201, { what: 'the registry to be known' });
    equal((await tryPod(OTHER)).status >= 400, true);

    const path = `${collectionPath(registries)}/registries`;
    const changed = { ...registries, data: { prefixes: 'registry.test/\nelsewhere.test/\n' } };
    equal((await kube.request('PUT', path, changed)).status, 200);
    await waitUntil(async () => (await tryPod(OTHER)).status === 201, { what: 'the change to be known' });

    equal((await kube.request('DELETE', path)).status, 200);
    await waitUntil(async () => (await tryPod(GOOD)).status >= 400, { what: 'the registry to be gone' });
    equal((await create(registries)).status, 201);
  });

  test('objects without a namespace: one that is free, in both dialects', async () => {
    equal((await tryPod(OTHER, FREE)).status, 201);
    for (const policy of Object.keys(DIALECTS)) {
      await waitUntil(async () => (await judge(policy, GOOD)) === 'allowed', { what: `${policy} to know` });
      equal(await judge(policy, OTHER, FREE), 'allowed');
      match(await judge(policy, OTHER), /from none of the registries/);
    }
    const unknown = await judge('gatekeeper', GOOD, 'nowhere');
    match(unknown, /the namespace "nowhere" is not known yet/);
  });

  test('what the server may not read is a failure of the policy, and never an empty cluster', async () => {
    match(await judge('blind', GOOD), /policy 'blind' failed: nodes cannot be read: .*forbidden/);
    equal(await portcullis.isReady(), true);
  });

  test('there is one watch for each kind that can be read, whoever sees it', async () => {
    const metrics = await (await fetch(`${portcullis.managementUrl}/metrics`)).text();
    for (const kind of ['configmaps', 'namespaces']) {
      const lines = metrics.match(new RegExp(`stale\\w*\\{.*"${kind} for policies`, 'g'));
      equal(lines?.length, 1, kind);
    }
  });

  test('what was seen can be recorded, and replayed without a cluster', async () => {
    const policy = join(directory, 'policies', 'gatekeeper.yaml');
    const [calls, manifest] = [join(directory, 'calls.json'), join(directory, 'pod.json')];
    await writeFile(manifest, JSON.stringify(pod({ name: 'web', namespace: TEAM }, GOOD)));
    const check = ['check', '-p', policy, '-f', manifest];
    const record = ['--record-host-calls', calls, '--kubeconfig', kube.kubeconfigPath];
    const recorded = await runCommand(process.execPath, [MAIN, ...check, ...record]);
    equal(recorded.code, 0, recorded.stderr);
    const [call, ...others] = JSON.parse(await readFile(calls, 'utf8')) as readonly object[];
    equal(others.length, 0);
    equal(at(call, 'capability'), 'kubernetes/inventory');
    equal(at(call, 'response', 'cluster', 'v1', 'Namespace', FREE, 'metadata', 'name'), FREE);
    const replayed = await runCommand(process.execPath, [MAIN, ...check, '--replay-host-calls', calls]);
    deepEqual([replayed.code, replayed.stdout], [0, recorded.stdout]);
  });

  test('the committed module is what OPA makes of its source', async (t) => {
    const missing = missingComponent(['opa-1']);
    if (missing !== undefined && !endToEndRequired()) return t.skip(missing);
    const target = join(directory, 'rebuilt.wasm');
    await promisify(execFile)(join(FOLDER, 'build.sh'), [target], {
      env: { ...process.env, OPA: opaBinary() },
    });
    equal((await readFile(target)).equals(await readFile(MODULE)), true);
    return undefined;
  });

  test('an API server that is gone: what is known is used', async () => {
    equal(await judge('gatekeeper', GOOD), 'allowed');
    await kube.kill();
    equal(await judge('gatekeeper', GOOD), 'allowed');
    match(await judge('opa', OTHER), /from none of the registries/);
    doesNotMatch(portcullis.logs(), /PC_INTERNAL/);
  });
});

function reviewOf(image: string, where: string): object {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'a-review',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      name: 'web',
      namespace: where,
      operation: 'CREATE',
      userInfo: { username: 'alice' },
      object: pod({ name: 'web', namespace: where }, image),
    },
  };
}

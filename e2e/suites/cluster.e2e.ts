import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createAuthority, issueServerCertificate } from '../support/certificates.ts';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { fixedPolicy } from '../support/fixed-policy.ts';
import { startKubeApiserver, type KubeApiserver } from '../support/kube-apiserver.ts';
import { at, collectionPath, namespace, pod, type KubernetesObject } from '../support/kubernetes-objects.ts';
import {
  conditionOf,
  installDefinitions,
  moduleConfigMap,
  portcullisObject,
} from '../support/portcullis-objects.ts';
import { startReplicas, type Replicas } from '../support/replicas.ts';
import { createServiceAccount, type PolicyRule, type ServiceAccount } from '../support/service-account.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const OWN = 'portcullis';
const TEAM = 'team-a';
const PODS = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];
const CREATE_PODS = { operations: ['CREATE'], resources: PODS };

const CUSTOM = [
  'policies',
  'policygroups',
  'namespacedpolicies',
  'namespacedpolicygroups',
  'policyexceptions',
];
const CLUSTER_RULES: readonly PolicyRule[] = [
  { apiGroups: ['portcullis.dev'], resources: CUSTOM, verbs: ['list', 'watch'] },
  { apiGroups: ['portcullis.dev'], resources: CUSTOM.map((plural) => `${plural}/status`), verbs: ['patch'] },
  { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: ['get'] },
  { apiGroups: [''], resources: ['namespaces', 'configmaps'], verbs: ['list', 'watch'] },
  {
    apiGroups: ['admissionregistration.k8s.io'],
    resources: ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'],
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
  },
  { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
];
const RULES: readonly PolicyRule[] = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch'] },
];

// Three replicas with the rights of a service account: everything that they know of policies is in the API server.
describeWithKubernetes('cluster', () => {
  let kube: KubeApiserver;
  let account: ServiceAccount;
  let replicas: Replicas;
  let deny: (message: string) => Promise<Uint8Array>;

  const create = async (object: KubernetesObject): Promise<void> => {
    const { status, text } = await kube.request('POST', collectionPath(object), object);
    equal(status, 201, text);
  };
  const pathOf = (object: KubernetesObject): string =>
    `${collectionPath(object)}/${object.metadata.name ?? ''}`;
  const apply = async (object: KubernetesObject): Promise<void> => {
    const { code, stderr } = await kube.kubectl(
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
      JSON.stringify(object),
    );
    equal(code, 0, stderr);
  };
  const remove = (object: KubernetesObject): Promise<unknown> => kube.request('DELETE', pathOf(object));
  /** What a client of the API server sees. */
  const tryPod = (where: string, image = 'registry.test/app:1'): ReturnType<KubeApiserver['request']> =>
    kube.request(
      'POST',
      `/api/v1/namespaces/${where}/pods?dryRun=All`,
      pod({ name: 'probe', namespace: where }, image),
    );
  const isDenied = async (where: string, text: RegExp): Promise<boolean> => {
    const { body: json } = await tryPod(where);
    return text.test(String(at(json, 'message')));
  };
  const isAllowed = async (where: string): Promise<boolean> => (await tryPod(where)).status === 201;
  const eventually = (what: string, check: () => Promise<boolean>): Promise<unknown> =>
    waitUntil(check, { what, within: 15_000 });

  before(async () => {
    const directory = await createWorkDirectory('cluster');
    kube = await startKubeApiserver({ directory: await createWorkDirectory('cluster-kubernetes') });
    await installDefinitions(kube);
    await create(namespace(TEAM));
    account = await createServiceAccount({
      kube,
      directory,
      namespace: OWN,
      name: 'portcullis',
      clusterRules: CLUSTER_RULES,
      rules: RULES,
    });
    deny = (message) => fixedPolicy({ allowed: false, message });
    const authority = await createAuthority();
    const caFile = join(directory, 'ca.crt');
    await writeFile(caFile, authority.pem);
    replicas = await startReplicas({
      directory,
      count: 3,
      identity: await issueServerCertificate(authority),
      sections: (name, url) => ({
        kubernetes: {
          enabled: true,
          kubeconfig: account.kubeconfigPath,
          namespace: OWN,
          identity: name,
          registration: { enabled: true, url, caFile },
        },
      }),
    });
  });

  after(async () => {
    await replicas?.stop();
    await kube?.stop();
  });

  test('a policy that is applied denies, and its status says so', async () => {
    await create(
      moduleConfigMap({ name: 'deny', namespace: OWN }, { 'plugin.wasm': await deny('not today') }),
    );
    const policy = portcullisObject(
      'Policy',
      { name: 'first' },
      { match: CREATE_PODS, module: { configMap: { name: 'deny', key: 'plugin.wasm' } } },
    );
    await apply(policy);
    await eventually('the policy to deny', () => isDenied(TEAM, /\[first\] not today/));
    await eventually(
      'its status',
      async () => (await conditionOf(kube, policy, 'Loaded'))?.['status'] === 'True',
    );
    const { stdout } = await kube.kubectl(['get', 'policies.portcullis.dev']);
    match(
      stdout,
      /NAME +PHASE +MODE +LOADED +SERVING +WHY +AGE\nfirst +validate +enforce +True +True +Loaded/,
    );

    await kube.request(
      'PUT',
      `/api/v1/namespaces/${OWN}/configmaps/deny`,
      moduleConfigMap({ name: 'deny', namespace: OWN }, { 'plugin.wasm': await deny('still not') }),
    );
    await eventually('the new module to deny', () => isDenied(TEAM, /\[first\] still not/));
    await remove(policy);
    await eventually('the policy to be gone', () => isAllowed(TEAM));
  });
});

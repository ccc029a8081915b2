import { equal } from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyRule } from './bind-role.ts';
import { createAuthority, issueServerCertificate, type Authority } from './certificates.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { startKubeApiserver, type KubeApiserver } from './kube-apiserver.ts';
import { collectionPath, namespace, type KubernetesObject } from './kubernetes-objects.ts';
import { installDefinitions } from './portcullis-objects.ts';
import { startReplicas, type Replica, type Replicas } from './replicas.ts';
import { viewReplica, writeViewerToken, type ReplicaView } from './replica-view.ts';
import { createServiceAccount, type ServiceAccount } from './service-account.ts';
import { createWorkDirectory } from './work-directory.ts';

/** The namespace of the servers. */
export const OWN = 'portcullis';

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
  { apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch'] },
  {
    apiGroups: ['admissionregistration.k8s.io'],
    resources: ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'],
    verbs: ['list', 'watch', 'create', 'patch', 'delete'],
  },
  { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
];
const RULES: readonly PolicyRule[] = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] },
];

export interface ClusterOptions {
  /** Names the work folders. */
  readonly name: string;
  readonly replicas: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** More keys of the section `kubernetes`. */
  readonly kubernetes?: Readonly<Record<string, unknown>>;
  /** More sections of the configuration. */
  readonly sections?: Readonly<Record<string, unknown>>;
  /** Namespaces besides our own. */
  readonly namespaces?: readonly string[];
  /** Rights besides those that every server needs: in the cluster, and in our own namespace. */
  readonly clusterRules?: readonly PolicyRule[];
  readonly rules?: readonly PolicyRule[];
}

/** A real API server, and servers of ours behind a balancer that know nothing but what is in it. */
export interface Cluster {
  readonly kube: KubeApiserver;
  /** Between the servers and the API server; nobody else goes through it. */
  readonly proxy: FaultProxy;
  readonly authority: Authority;
  readonly replicas: Replicas;
  /** Whose token the servers have. */
  account(): ServiceAccount;
  /** What an administrator puts into an empty API server: namespaces, definitions, account, roles, and a token. */
  furnish(): Promise<void>;
  view(replica: Replica): ReplicaView;
  create(object: KubernetesObject): Promise<void>;
  apply(object: KubernetesObject): Promise<void>;
  remove(object: KubernetesObject): Promise<void>;
  /** A certificate of the same authority, in the files of all servers. */
  rotateCertificate(): Promise<void>;
  stop(): Promise<void>;
}

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const directory = await createWorkDirectory(options.name);
  const kube = await startKubeApiserver({
    directory: await createWorkDirectory(`${options.name}-kubernetes`),
  });
  const proxy = await startFaultProxy({ target: kube.port });
  const authority = await createAuthority();
  const caFile = join(directory, 'ca.crt');
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(caFile, authority.pem);
  const viewer = await writeViewerToken(join(directory, 'tokens.yaml'));
  let account: ServiceAccount | undefined;

  const create = async (object: KubernetesObject): Promise<void> => {
    const { status, text } = await kube.request('POST', collectionPath(object), object);
    equal(status, 201, text);
  };
  const furnish = async (): Promise<void> => {
    await installDefinitions(kube);
    for (const name of options.namespaces ?? []) await create(namespace(name));
    account = await createServiceAccount({
      kube,
      directory,
      namespace: OWN,
      name: 'portcullis',
      clusterRules: [...CLUSTER_RULES, ...(options.clusterRules ?? [])],
      rules: [...RULES, ...(options.rules ?? [])],
    });
  };
  await furnish();
  await writeFile(
    kubeconfig,
    (await readFile(known(account).kubeconfigPath, 'utf8')).replaceAll(`:${kube.port}`, `:${proxy.port}`),
  );
  const replicas = await startReplicas({
    directory,
    count: options.replicas,
    identity: await issueServerCertificate(authority),
    env: { PORTCULLIS_MANAGEMENT_TOKENS_FILE: viewer.file, ...options.env },
    sections: (name, url) => ({
      kubernetes: {
        enabled: true,
        kubeconfig,
        namespace: OWN,
        identity: name,
        registration: { enabled: true, url, caFile },
        ...options.kubernetes,
      },
      ...options.sections,
    }),
  });

  return {
    kube,
    proxy,
    authority,
    replicas,
    account: () => known(account),
    furnish,
    view: ({ server }) => viewReplica(server, viewer),
    create,
    async apply(object) {
      const path = `${collectionPath(object)}/${object.metadata.name ?? ''}?fieldManager=e2e&force=true`;
      const { status, text } = await kube.request('PATCH', path, object, {
        'content-type': 'application/apply-patch+yaml',
      });
      equal(status === 200 || status === 201, true, text);
    },
    async remove(object) {
      const { status, text } = await kube.request(
        'DELETE',
        `${collectionPath(object)}/${object.metadata.name ?? ''}`,
      );
      equal(status === 200 || status === 202 || status === 404, true, text);
    },
    async rotateCertificate() {
      const identity = await issueServerCertificate(authority);
      await writeFile(replicas.files.certFile, identity.certificatePem);
      await writeFile(replicas.files.keyFile, identity.keyPem);
    },
    async stop() {
      await replicas.stop();
      await proxy.close();
      await kube.stop();
    },
  };
}

function known(account: ServiceAccount | undefined): ServiceAccount {
  if (account === undefined) throw new Error('the API server is not furnished');
  return account;
}

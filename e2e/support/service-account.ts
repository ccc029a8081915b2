import { equal, ok } from 'node:assert/strict';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bindRole, type PolicyRule } from './bind-role.ts';
import type { HttpsResponse } from './https-client.ts';
import type { KubeApiserver } from './kube-apiserver.ts';
import { at, collectionPath, namespace, type KubernetesObject } from './kubernetes-objects.ts';

export interface ServiceAccountOptions {
  readonly kube: KubeApiserver;
  /** Where the folder that a pod would see is written. */
  readonly directory: string;
  readonly namespace: string;
  readonly name: string;
  /** Of a ClusterRole that is bound to the account; default: none. */
  readonly clusterRules?: readonly PolicyRule[];
  /** Of a Role in the account's namespace; default: none. */
  readonly rules?: readonly PolicyRule[];
  /** Of the first token and of later ones; at least 600, default 3600. */
  readonly expirationSeconds?: number;
}

export interface ServiceAccount {
  /** `system:serviceaccount:<namespace>:<name>`. */
  readonly username: string;
  /** What a pod sees as `/var/run/secrets/kubernetes.io/serviceaccount`: `token`, `ca.crt`, `namespace`. */
  readonly mount: string;
  /** A kubeconfig that names the files in `mount`. */
  readonly kubeconfigPath: string;
  /** The token that lies in `mount`. */
  token(): string;
  /** Puts a new token into `mount`, as the kubelet does, and returns it; the older ones stay valid. */
  renewToken(): Promise<string>;
  /** Puts any text in place of the token. */
  writeToken(token: string): Promise<void>;
  /** Makes the account anew: about 10 s later its tokens are void. The file keeps the old one until `renewToken`. */
  recreate(): Promise<void>;
  /** A request of this account. */
  request(method: string, path: string, body?: object): Promise<HttpsResponse>;
}

/**
 * Makes a service account with its roles, and the files that a pod of it would see. The namespace is made when it is missing.
 * A token ends with its account, but the API server goes on to believe in one that it has seen for about 10 s.
 */
export async function createServiceAccount(options: ServiceAccountOptions): Promise<ServiceAccount> {
  const { kube, name, rules = [], clusterRules = [] } = options;
  for (const object of accountObjects(options)) {
    const { status, text } = await kube.request('POST', collectionPath(object), object);
    ok(status === 201 || status === 409, `${object.kind} ${name}: ${text}`);
  }
  const { namespace: own } = options;
  const subjects = [{ kind: 'ServiceAccount', name, namespace: own }] as const;
  if (clusterRules.length > 0) await bindRole(kube, { name, rules: clusterRules, subjects });
  if (rules.length > 0) await bindRole(kube, { name, namespace: own, rules, subjects });

  const mount = join(options.directory, `service-account-${name}`);
  const kubeconfigPath = join(options.directory, `service-account-${name}.kubeconfig`);
  await mkdir(mount, { recursive: true });
  await writeFile(join(mount, 'ca.crt'), kube.caPem);
  await writeFile(join(mount, 'namespace'), options.namespace);
  await writeFile(kubeconfigPath, kubeconfigOfMount(kube.url, mount, options.namespace));

  let token = '';
  const writeToken = async (text: string): Promise<void> => {
    token = text;
    await writeFile(join(mount, '..token'), text, { mode: 0o600 });
    await rename(join(mount, '..token'), join(mount, 'token'));
  };
  const renewToken = async (): Promise<string> => {
    await writeToken(await requestToken(options));
    return token;
  };
  await renewToken();
  return {
    username: `system:serviceaccount:${options.namespace}:${name}`,
    mount,
    kubeconfigPath,
    token: () => token,
    renewToken,
    writeToken,
    async recreate() {
      const account = accountObjects(options).find(({ kind }) => kind === 'ServiceAccount');
      ok(account !== undefined);
      const ended = await kube.request('DELETE', `${collectionPath(account)}/${name}`);
      equal(ended.status, 200, ended.text);
      const made = await kube.request('POST', collectionPath(account), account);
      equal(made.status, 201, made.text);
    },
    request: (method, path, body) => kube.request(method, path, body, { authorization: `Bearer ${token}` }),
  };
}

function accountObjects(options: ServiceAccountOptions): KubernetesObject[] {
  const metadata = { name: options.name, namespace: options.namespace };
  return [namespace(options.namespace), { apiVersion: 'v1', kind: 'ServiceAccount', metadata }];
}

/** A token as the kubelet asks for one. */
export async function requestToken(
  options: Pick<ServiceAccountOptions, 'kube' | 'namespace' | 'name' | 'expirationSeconds'>,
): Promise<string> {
  const { kube, name } = options;
  const path = `/api/v1/namespaces/${options.namespace}/serviceaccounts/${name}/token`;
  const answer = await kube.request('POST', path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: options.expirationSeconds ?? 3600 },
  });
  const token = at(answer.body, 'status', 'token');
  // Not the text of the answer: it may hold a token.
  if (typeof token !== 'string') throw new Error(`no token for ${name}: status ${answer.status}`);
  return token;
}

function kubeconfigOfMount(url: string, mount: string, defaultNamespace: string): string {
  const cluster = { server: url, 'certificate-authority': join(mount, 'ca.crt') };
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'e2e', cluster }],
    users: [{ name: 'e2e', user: { tokenFile: join(mount, 'token') } }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'e2e', namespace: defaultNamespace } }],
    'current-context': 'e2e',
  };
  return JSON.stringify(document, undefined, 2);
}

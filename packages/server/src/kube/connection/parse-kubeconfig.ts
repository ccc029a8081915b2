import { dirname, resolve } from 'node:path';
import { Fault, isFault } from '../../kernel/fault.ts';
import { Secret } from '../../kernel/secret.ts';
import { present } from '../present.ts';
import type { ConnectionSettings, ExecPlugin, Material, UserSettings } from './connection-settings.ts';
import type { KubeconfigCluster, KubeconfigExec, KubeconfigUser } from './kubeconfig-schema.ts';
import {
  mergeKubeconfigs,
  type KubeconfigFile,
  type MergedKubeconfig,
  type Sourced,
} from './merge-kubeconfigs.ts';

/**
 * One or more kubeconfig files, as kubectl reads them. Texts of the files are not quoted in faults beyond names of entries.
 *
 * @param context instead of `current-context`
 */
export function parseKubeconfig(
  files: readonly KubeconfigFile[],
  context?: string,
): ConnectionSettings | Fault {
  const merged = mergeKubeconfigs(files);
  if (isFault(merged)) return merged;
  const chosen = chooseContext(merged, context);
  if (isFault(chosen)) return chosen;
  const { cluster, user, namespace = 'default' } = chosen;
  const connection = clusterSettings(cluster);
  if (isFault(connection)) return connection;
  const who = user && userSettings(user, cluster.value);
  if (isFault(who)) return who;
  // As kubectl: credentials never travel without TLS.
  const isTls = connection.server.startsWith('https:');
  return { ...connection, namespace, user: (isTls && who) || {} };
}

interface Choice {
  readonly cluster: Sourced<KubeconfigCluster>;
  readonly user: Sourced<KubeconfigUser> | undefined;
  readonly namespace: string | undefined;
}

function chooseContext(merged: MergedKubeconfig, wanted: string | undefined): Choice | Fault {
  const name = wanted ?? merged.currentContext;
  if (name === undefined) return broken('the kubeconfig has no `current-context`; choose a context');
  const context = merged.contexts.get(name)?.value;
  if (context === undefined) return broken(`the kubeconfig has no context \`${name}\``);
  if (context.cluster === undefined) return broken(`context \`${name}\` names no cluster`);
  const cluster = merged.clusters.get(context.cluster);
  if (cluster === undefined)
    return broken(`context \`${name}\` names the cluster \`${context.cluster}\`, which does not exist`);
  const user = context.user === undefined ? undefined : merged.users.get(context.user);
  if (context.user !== undefined && user === undefined) {
    return broken(`context \`${name}\` names the user \`${context.user}\`, which does not exist`);
  }
  return { cluster, user, namespace: context.namespace };
}

type ClusterSettings = Omit<ConnectionSettings, 'namespace' | 'user'>;

function clusterSettings({ name, path, value }: Sourced<KubeconfigCluster>): ClusterSettings | Fault {
  const where = `cluster \`${name}\``;
  const server = parseServer(value.server, where);
  if (isFault(server)) return server;
  const insecure = value['insecure-skip-tls-verify'];
  const ca = material(
    value['certificate-authority-data'],
    value['certificate-authority'],
    path,
    `${where}: \`certificate-authority-data\``,
  );
  if (isFault(ca)) return ca;
  if (insecure && ca !== undefined) {
    return broken(
      `${where} has a certificate authority and \`insecure-skip-tls-verify\`; remove one of them`,
    );
  }
  const proxy = parseProxy(value['proxy-url'], where);
  if (isFault(proxy)) return proxy;
  return present({ server, insecure, ca, proxy, serverName: value['tls-server-name'] });
}

function parseServer(text: string | undefined, where: string): string | Fault {
  if (text === undefined) return broken(`${where} has no \`server\``);
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return broken(`${where}: \`server\` must be a URL that starts with \`https://\``);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    return broken(`${where}: \`server\` must have no user, query or fragment`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function parseProxy(text: string | undefined, where: string): Secret | Fault | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return new Secret(text);
  return broken(
    `${where}: \`proxy-url\` must start with \`http://\` or \`https://\`; SOCKS proxies are not supported`,
  );
}

function userSettings(
  { name, path, value }: Sourced<KubeconfigUser>,
  cluster: KubeconfigCluster,
): UserSettings | Fault {
  const where = `user \`${name}\``;
  if (value['auth-provider'] != null) {
    return broken(
      `${where} has the auth-provider \`${value['auth-provider'].name}\`, which Kubernetes removed; use \`exec\` with its plugin`,
    );
  }
  const cert = material(
    value['client-certificate-data'],
    value['client-certificate'],
    path,
    `${where}: \`client-certificate-data\``,
  );
  if (isFault(cert)) return cert;
  const key = material(value['client-key-data'], value['client-key'], path, `${where}: \`client-key-data\``);
  if (isFault(key)) return key;
  if ((cert === undefined) !== (key === undefined)) {
    return broken(`${where} has only one of client certificate and client key`);
  }
  const login = passwordOrToken(value, cert !== undefined, where);
  if (isFault(login)) return login;
  const exec = value.exec == null ? undefined : execPlugin(value.exec, path, cluster, where);
  if (isFault(exec)) return exec;
  const impersonate = impersonation(value, where);
  if (isFault(impersonate)) return impersonate;
  const tokenFile = value.tokenFile && resolve(dirname(path), value.tokenFile);
  const certificate = cert && key && { cert, key };
  return present({ ...login, tokenFile, exec, certificate, impersonate });
}

function passwordOrToken(
  { token, username, password }: KubeconfigUser,
  hasCertificate: boolean,
  where: string,
): Pick<UserSettings, 'token' | 'basic'> | Fault {
  const isBasic = username !== undefined || password !== undefined;
  if (isBasic && token !== undefined && !hasCertificate) {
    return broken(`${where} has a token and a password; remove one of them`);
  }
  return present({
    token: token === undefined ? undefined : new Secret(token),
    basic: isBasic ? { username: username ?? '', password: new Secret(password ?? '') } : undefined,
  });
}

function impersonation(value: KubeconfigUser, where: string): UserSettings['impersonate'] | Fault {
  const uid = value['as-uid'];
  const groups = value['as-groups'];
  const extra = value['as-user-extra'];
  if (value.as !== undefined) return present({ user: value.as, uid, groups, extra });
  const isAlone = uid !== undefined || groups.length > 0 || Object.keys(extra).length > 0;
  return isAlone ? broken(`${where} impersonates without \`as\``) : undefined;
}

const EXEC_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'] as const;
/** Where a cluster entry keeps what is meant for exec plugins alone. */
const EXEC_EXTENSION = 'client.authentication.k8s.io/exec';

function execPlugin(
  exec: KubeconfigExec,
  path: string,
  cluster: KubeconfigCluster,
  where: string,
): ExecPlugin | Fault {
  const apiVersion = EXEC_VERSIONS.find((version) => version === exec.apiVersion);
  if (apiVersion === undefined) {
    return broken(
      `${where}: \`exec.apiVersion\` must be one of ${EXEC_VERSIONS.map((version) => `\`${version}\``).join(', ')}`,
    );
  }
  const { command, args, env, provideClusterInfo, installHint } = exec;
  if (command === undefined) return broken(`${where}: \`exec.command\` is missing`);
  if (exec.interactiveMode === 'Always') {
    return broken(`${where}: the exec plugin wants to ask a person; set \`interactiveMode: Never\``);
  }
  const extension = cluster.extensions.find(({ name }) => name === EXEC_EXTENSION)?.extension;
  return present({
    apiVersion,
    // A bare name is looked up in PATH.
    command: command.includes('/') ? resolve(dirname(path), command) : command,
    args,
    env: Object.fromEntries(env.map(({ name, value }) => [name, value])),
    provideClusterInfo,
    installHint,
    clusterConfig: extension,
  });
}

/** The text in the kubeconfig goes before the file. */
function material(
  data: string | undefined,
  file: string | undefined,
  path: string,
  where: string,
): Material | Fault | undefined {
  if (data === undefined) return file === undefined ? undefined : { file: resolve(dirname(path), file) };
  const compact = data.replaceAll(/\s+/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact))
    return broken(`${where} is not base64`);
  return { text: new Secret(Buffer.from(compact, 'base64').toString('utf8')) };
}

function broken(message: string): Fault {
  return new Fault('PC_KUBE_CONFIG', message);
}

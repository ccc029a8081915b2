import { isFault, type Fault } from '../../kernel/fault.ts';
import { Secret } from '../../kernel/secret.ts';
import type { KubeHost } from '../kube-host.ts';
import type { ConnectionSettings, Material, UserSettings } from './connection-settings.ts';
import {
  createExecCredentials,
  type ExecCluster,
  type ExecCredential,
  type ExecCredentials,
} from './exec-credentials.ts';
import { createKeptFile, type KeptFile } from './kept-file.ts';
import type { KubeConnection, KubeIdentity } from './kube-connection.ts';

/** Opens nothing yet: files are read and plugins are run for the first request. */
export function createKubeConnection(settings: ConnectionSettings, host: KubeHost): KubeConnection {
  const { server, serverName, insecure, proxy, namespace, user } = settings;
  const read = createReaders(settings, host);
  let current: KubeIdentity | undefined;

  async function look(fresh: boolean): Promise<KubeIdentity | Fault> {
    const found = await readIdentity(read, user, fresh);
    if (isFault(found)) return found;
    if (current === undefined || !isSame(current, found)) current = found;
    return current;
  }

  return {
    server,
    namespace,
    insecure,
    headers: impersonation(user),
    ...(serverName === undefined ? {} : { serverName }),
    ...(proxy === undefined ? {} : { proxy }),
    identity: () => look(false),
    // Somebody else may have renewed it while the refused request was on its way.
    renew: (refused) => look(current === refused),
  };
}

type Reader = (fresh: boolean) => Promise<string | Fault | undefined>;

interface Readers {
  readonly ca: Reader;
  readonly cert: Reader;
  readonly key: Reader;
  readonly tokenFile: KeptFile | undefined;
  readonly exec: ExecCredentials | undefined;
}

function createReaders(settings: ConnectionSettings, host: KubeHost): Readers {
  const { user } = settings;
  const ca = materialReader(settings.ca, host);
  return {
    ca,
    cert: materialReader(user.certificate?.cert, host),
    key: materialReader(user.certificate?.key, host),
    tokenFile: user.tokenFile === undefined ? undefined : createKeptFile(host, user.tokenFile),
    exec:
      user.exec === undefined ? undefined : createExecCredentials(host, user.exec, execCluster(settings, ca)),
  };
}

/** What a plugin may know of the cluster; a file of authorities is told by its contents. */
function execCluster(settings: ConnectionSettings, ca: Reader): () => Promise<ExecCluster | Fault> {
  const { server, serverName, insecure, proxy, user } = settings;
  return async () => {
    const authorities = await ca(false);
    if (isFault(authorities)) return authorities;
    return {
      server,
      'tls-server-name': serverName,
      'insecure-skip-tls-verify': insecure || undefined,
      'certificate-authority-data': authorities && Buffer.from(authorities).toString('base64'),
      'proxy-url': proxy?.reveal(),
      config: user.exec?.clusterConfig ?? null,
    };
  };
}

function materialReader(material: Material | undefined, host: KubeHost): Reader {
  if (material === undefined) return () => Promise.resolve(undefined);
  if ('text' in material) return () => Promise.resolve(material.text.reveal());
  const file = createKeptFile(host, material.file);
  return (fresh) => file.read(fresh);
}

async function readIdentity(
  read: Readers,
  user: UserSettings,
  fresh: boolean,
): Promise<KubeIdentity | Fault> {
  const found = await Promise.all([read.ca(fresh), read.cert(fresh), read.key(fresh)]);
  const problem = found.find(isFault);
  if (problem !== undefined) return problem;
  const [ca, cert, key] = found as (string | undefined)[];
  const own = await readAuthorization(read, user, fresh);
  if (isFault(own)) return own;
  // As kubectl: the plugin is asked only when nothing else says who we are.
  const exec: ExecCredential | Fault = own === undefined ? ((await read.exec?.read(fresh)) ?? {}) : {};
  if (isFault(exec)) return exec;
  const authorization = own ?? (exec.token && bearer(exec.token.reveal()));
  const certificate =
    cert === undefined || key === undefined ? exec.certificate : { cert, key: new Secret(key) };
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(authorization === undefined ? {} : { authorization }),
  };
}

async function readAuthorization(
  { tokenFile }: Readers,
  { token, basic }: UserSettings,
  fresh: boolean,
): Promise<Secret | Fault | undefined> {
  const fromFile = await tokenFile?.read(fresh);
  if (typeof fromFile === 'string') return bearer(fromFile.trim());
  // As kubectl: the token in the kubeconfig stands in for a file that cannot be read.
  if (token !== undefined) return bearer(token.reveal());
  if (fromFile !== undefined) return fromFile;
  if (basic === undefined) return undefined;
  const pair = Buffer.from(`${basic.username}:${basic.password.reveal()}`).toString('base64');
  return new Secret(`Basic ${pair}`);
}

function bearer(token: string): Secret {
  return new Secret(`Bearer ${token}`);
}

function isSame(left: KubeIdentity, right: KubeIdentity): boolean {
  return (
    left.ca === right.ca &&
    left.authorization?.reveal() === right.authorization?.reveal() &&
    left.certificate?.cert === right.certificate?.cert &&
    left.certificate?.key.reveal() === right.certificate?.key.reveal()
  );
}

function impersonation({ impersonate }: UserSettings): KubeConnection['headers'] {
  if (impersonate === undefined) return {};
  const { user, uid, groups, extra } = impersonate;
  return {
    'impersonate-user': user,
    ...(uid === undefined ? {} : { 'impersonate-uid': uid }),
    ...(groups.length === 0 ? {} : { 'impersonate-group': [...groups] }),
    ...Object.fromEntries(
      Object.entries(extra).map(([key, values]) => [
        `impersonate-extra-${encodeURIComponent(key)}`,
        [...values],
      ]),
    ),
  };
}

import { createHash, randomBytes } from 'node:crypto';
import { searchGuest } from '../../packages/server/test/support/search-guest.ts';
import { createAuthority, issueServerCertificate } from './certificates.ts';
import { freePorts } from './free-ports.ts';
import { writeAccessWebhooks, type AccessWebhooks } from './access-webhooks.ts';
import { startKubeApiserver, type KubeApiserver } from './kube-apiserver.ts';
import type { TokenUser } from './kube-apiserver-files.ts';
import { portcullisConfig, writePolicy, writePortcullisFiles } from './portcullis-config.ts';
import { startPortcullis, type Portcullis } from './portcullis.ts';
import { createWorkDirectory } from './work-directory.ts';

const RESPONSES = {
  TokenReview: 'authentication.k8s.io/v1',
  SubjectAccessReview: 'authorization.k8s.io/v1',
};

/** What a guest of the WASI form writes. */
export function response(kind: keyof typeof RESPONSES, status: object): unknown {
  return { response: { apiVersion: RESPONSES[kind], kind, status }, error: null };
}

/** An API server that asks a Portcullis server who somebody is and what they may do. */
export interface AccessFixture {
  readonly kube: KubeApiserver;
  readonly portcullis: Portcullis;
  readonly policies: string;
  readonly webhooks: AccessWebhooks;
  /** In the place of one that was ended. */
  restartPortcullis(): Promise<void>;
  /** The text of `/api/v1/decisions`, with this query. */
  decisions(query: string): Promise<string>;
  stop(): Promise<void>;
}

export interface AccessFixtureOptions {
  readonly name: string;
  readonly users: readonly TokenUser[];
  readonly writePolicies: (folder: string) => Promise<void>;
}

export async function startAccessFixture({
  name,
  users,
  writePolicies,
}: AccessFixtureOptions): Promise<AccessFixture> {
  const directory = await createWorkDirectory(name);
  const authority = await createAuthority();
  const files = await writePortcullisFiles(directory, await issueServerCertificate(authority));
  await writePolicies(files.policies);
  const [port = 0, managementPort = 0] = await freePorts(2);
  const viewer = randomBytes(16).toString('hex');
  const tokens = [
    { name: 'suite', role: 'viewer', sha256: createHash('sha256').update(viewer).digest('hex') },
  ];
  const sections = { log: { level: 'debug' }, management: { port: managementPort, tokens } };
  const config = portcullisConfig({ files, port, managementPort, sections });
  const url = `https://127.0.0.1:${port}`;
  const webhooks = await writeAccessWebhooks(directory, {
    authentication: { url: `${url}/authentication`, caPem: authority.pem },
    authorization: { url: `${url}/authorization`, caPem: authority.pem },
  });
  let portcullis = await startPortcullis({ directory, config, managementPort });
  const kube = await startKubeApiserver({
    directory: await createWorkDirectory(`${name}-kubernetes`),
    users,
    flags: webhooks.flags,
  });
  return {
    kube,
    get portcullis() {
      return portcullis;
    },
    policies: files.policies,
    webhooks,
    restartPortcullis: async () => {
      portcullis = await startPortcullis({ directory, config, managementPort });
    },
    decisions: async (query) => {
      const headers = { authorization: `Bearer ${viewer}` };
      const answer = await fetch(`${portcullis.managementUrl}/api/v1/decisions?${query}`, { headers });
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`the decisions: ${answer.status} ${text}`);
      return text;
    },
    stop: async () => {
      await Promise.all([portcullis.stop(), kube.stop()]);
    },
  };
}

/** Knows tokens by their text in the request. */
export async function writeAuthenticator(
  folder: string,
  name: string,
  known: Readonly<Record<string, object>>,
  spec: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const rules = Object.entries(known).map(([token, status]) => ({
    needle: `"token":${JSON.stringify(token)}`,
    answer: response('TokenReview', { authenticated: true, ...status }),
  }));
  const module = await searchGuest('authn', rules, response('TokenReview', { authenticated: false }));
  await writePolicy(folder, name, module, { engine: 'wasi', gate: 'authentication', ...spec });
}

/** Says the same of everything that it is asked about. */
export async function writeAuthorizer(
  folder: string,
  name: string,
  status: object,
  spec: Readonly<Record<string, unknown>>,
): Promise<void> {
  const module = await searchGuest('authz', [], response('SubjectAccessReview', status));
  await writePolicy(folder, name, module, { engine: 'wasi', gate: 'authorization', ...spec });
}

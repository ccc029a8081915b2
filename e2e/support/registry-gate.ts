import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority, issueServerCertificate } from './certificates.ts';
import { freePorts } from './free-ports.ts';
import { pod } from './kubernetes-objects.ts';
import { portcullisConfig, writePortcullisFiles } from './portcullis-config.ts';
import { startPortcullis, type Portcullis } from './portcullis.ts';
import { createReviewClient } from './review-client.ts';

const TOKEN = 'token-of-the-suite';

/** A server with one policy, `gate`, whose module lies in a registry. */
export interface RegistryGate {
  /** The one that runs now. */
  server(): Portcullis;
  isAllowed(): Promise<boolean>;
  /** What the management API says of the policy. */
  status(): Promise<unknown>;
  metrics(): Promise<string>;
  /** Ends it and starts it again: what it knows then it has from its disk, and from the registry. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface RegistryGateOptions {
  /** Everything of the server is below it. */
  readonly directory: string;
  readonly reference: string;
  /** Its own, in plain HTTP. */
  readonly registry: string;
  readonly refresh: string;
}

export async function startRegistryGate(options: RegistryGateOptions): Promise<RegistryGate> {
  const { directory, reference, registry, refresh } = options;
  await mkdir(directory, { recursive: true });
  const authority = await createAuthority();
  const files = await writePortcullisFiles(directory, await issueServerCertificate(authority));
  const spec = { engine: 'plugin', module: { oci: reference } };
  const document = { apiVersion: 'portcullis.dev/v1', kind: 'Policy', metadata: { name: 'gate' }, spec };
  await writeFile(join(files.policies, 'gate.yaml'), JSON.stringify(document));
  const [port = 0, managementPort = 0] = await freePorts(2);
  const oci = { refresh, plainHttp: [registry] };
  const sha256 = createHash('sha256').update(TOKEN).digest('hex');
  const management = { port: managementPort, tokens: [{ name: 'test', role: 'viewer', sha256 }] };
  const start = (): Promise<Portcullis> =>
    startPortcullis({
      directory,
      config: portcullisConfig({ files, port, managementPort, sections: { sources: { oci }, management } }),
      managementPort,
      env: { DOCKER_CONFIG: '/nonexistent' },
    });
  let server = await start();
  let client = createReviewClient(`https://127.0.0.1:${port}`, authority.pem);

  async function stop(): Promise<void> {
    client.close();
    await server.stop();
  }
  return {
    server: () => server,
    isAllowed: async () => (await client.ask(pod({ name: 'x' }))).allowed,
    async status() {
      const headers = { authorization: `Bearer ${TOKEN}` };
      return (await fetch(`${server.managementUrl}/api/v1/policies/gate`, { headers })).json();
    },
    metrics: async () => (await fetch(`${server.managementUrl}/metrics`)).text(),
    async restart() {
      await stop();
      server = await start();
      client = createReviewClient(`https://127.0.0.1:${port}`, authority.pem);
    },
    stop,
  };
}

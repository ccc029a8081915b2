import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { createHost } from '../../packages/server/src/app/create-host.ts';
import { isFault } from '../../packages/server/src/kernel/fault.ts';
import { createKubeConnection } from '../../packages/server/src/kube/connection/create-kube-connection.ts';
import { parseKubeconfig } from '../../packages/server/src/kube/connection/parse-kubeconfig.ts';
import { createKubeClient } from '../../packages/server/src/kube/create-kube-client.ts';
import type { KubeClient } from '../../packages/server/src/kube/kube-client.ts';
import type { KubeHost } from '../../packages/server/src/kube/kube-host.ts';
import { createReflector } from '../../packages/server/src/kube/reflector/create-reflector.ts';
import type { Reflect } from '../../packages/server/src/sources/reflect.ts';

export interface KubeAccess {
  readonly client: KubeClient;
  readonly runtime: KubeHost;
  readonly reflect: Reflect;
}

/** Our own client at a real API server, for parts of the server that are tried without the rest of it. */
export async function openKubeAccess(kubeconfigPath: string): Promise<KubeAccess> {
  const clock = { now: (): number => performance.now(), wall: (): number => Date.now() };
  const runtime = createHost(clock, { enabled: () => false, log: () => undefined });
  const text = await readFile(kubeconfigPath, 'utf8');
  const settings = parseKubeconfig([{ path: kubeconfigPath, text }]);
  if (isFault(settings)) throw settings;
  const connection = createKubeConnection(settings, runtime);
  const client = createKubeClient({ connection, runtime, userAgent: 'portcullis-e2e' });
  return { client, runtime, reflect: (options) => createReflector({ ...options, client, runtime }) };
}

import { homedir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createHost } from '../../app/create-host.ts';
import { openConnection, type ClusterAddress } from '../../app/kube/open-connection.ts';
import { VERSION } from '../../app/version.ts';
import { isFault, type Fault } from '../../kernel/fault.ts';
import type { Logger } from '../../kernel/ports.ts';
import { createKubeClient } from '../../kube/create-kube-client.ts';
import type { KubeClient } from '../../kube/kube-client.ts';

/** A client for a command: by the named kubeconfig, else the pod's service account, else where kubectl looks. */
export async function openKubernetes(
  { kubeconfig, context }: ClusterAddress,
  log: Logger,
): Promise<KubeClient | Fault> {
  const runtime = createHost({ now: () => performance.now(), wall: () => Date.now() }, log);
  const isPod = process.env['KUBERNETES_SERVICE_HOST'] !== undefined;
  const path = kubeconfig ?? (isPod ? undefined : ownKubeconfig());
  const connection = await openConnection({ kubeconfig: path, context }, runtime);
  if (isFault(connection)) return connection;
  return createKubeClient({ connection, runtime, userAgent: `portcullis-cli/${VERSION}` });
}

/** Of several files in the variable the first. */
function ownKubeconfig(): string {
  const [first] = (process.env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  return first ?? join(homedir(), '.kube', 'config');
}

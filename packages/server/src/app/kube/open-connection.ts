import { isFault, type Fault } from '../../kernel/fault.ts';
import { attempt } from '../../kernel/result.ts';
import { createKubeConnection } from '../../kube/connection/create-kube-connection.ts';
import { inClusterSettings } from '../../kube/connection/in-cluster-settings.ts';
import type { KubeConnection } from '../../kube/connection/kube-connection.ts';
import { parseKubeconfig } from '../../kube/connection/parse-kubeconfig.ts';
import type { KubeHost } from '../../kube/kube-host.ts';

export interface ClusterAddress {
  /** Absent: the service account of this pod. */
  readonly kubeconfig?: string | undefined;
  /** Absent: the current one of the kubeconfig. */
  readonly context?: string | undefined;
}

/** The way to the API server. PC_KUBE_CONFIG when there is none; nothing is asked of it yet. */
export async function openConnection(
  { kubeconfig, context }: ClusterAddress,
  host: KubeHost,
): Promise<KubeConnection | Fault> {
  const settings =
    kubeconfig === undefined
      ? await inClusterSettings(
          { host: process.env['KUBERNETES_SERVICE_HOST'], port: process.env['KUBERNETES_SERVICE_PORT'] },
          host,
        )
      : await readKubeconfig(kubeconfig, context, host);
  return isFault(settings) ? settings : createKubeConnection(settings, host);
}

async function readKubeconfig(
  path: string,
  context: string | undefined,
  host: KubeHost,
): Promise<ReturnType<typeof parseKubeconfig>> {
  const text = await attempt('PC_KUBE_CONFIG', `cannot read the kubeconfig \`${path}\``, () =>
    host.readFile(path),
  );
  return isFault(text) ? text : parseKubeconfig([{ path, text }], context);
}

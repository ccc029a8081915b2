import { isIPv6 } from 'node:net';
import { Fault } from '../../kernel/fault.ts';
import type { KubeHost } from '../kube-host.ts';
import type { ConnectionSettings } from './connection-settings.ts';

export interface InClusterOptions {
  /** `KUBERNETES_SERVICE_HOST`: a name or an address, IPv6 without brackets. */
  readonly host: string | undefined;
  /** `KUBERNETES_SERVICE_PORT`. */
  readonly port: string | undefined;
  /** Default: where the kubelet mounts the service account. */
  readonly mount?: string;
}

const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The way from a pod to its API server. Fault when this is no pod with a service account. */
export async function inClusterSettings(
  { host, port, mount = MOUNT }: InClusterOptions,
  kubeHost: Pick<KubeHost, 'readFile'>,
): Promise<ConnectionSettings | Fault> {
  if (!host || !port) {
    return new Fault(
      'PC_KUBE_CONFIG',
      'this is no pod: `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are not set; name a kubeconfig',
    );
  }
  const url = URL.parse(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`);
  if (url === null || url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '') {
    return new Fault('PC_KUBE_CONFIG', '`KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` make no URL');
  }
  return {
    server: url.origin,
    insecure: false,
    ca: { file: `${mount}/ca.crt` },
    namespace: await readNamespace(kubeHost, `${mount}/namespace`),
    user: { tokenFile: `${mount}/token` },
  };
}

/** Tokens that are mounted by hand may come without this file. */
async function readNamespace({ readFile }: Pick<KubeHost, 'readFile'>, path: string): Promise<string> {
  try {
    return (await readFile(path)).trim() || 'default';
  } catch {
    return 'default';
  }
}

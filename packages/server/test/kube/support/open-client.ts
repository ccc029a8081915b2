import { isFault, type Fault } from '../../../src/kernel/fault.ts';
import { Secret } from '../../../src/kernel/secret.ts';
import type { KubeConnection } from '../../../src/kube/connection/kube-connection.ts';
import { createKubeClient } from '../../../src/kube/create-kube-client.ts';
import type { KubeClient } from '../../../src/kube/kube-client.ts';
import type { KubeRuntime } from '../../../src/kube/kube-host.ts';
import type { KubeResource } from '../../../src/kube/resource.ts';

export const CONFIGMAPS: KubeResource = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

/** A client with a token that never changes, unless `renew` says otherwise. */
export function openClient(
  server: { readonly url: string; readonly caPem: string },
  runtime: KubeRuntime,
  overrides: Partial<KubeConnection> = {},
): KubeClient {
  const identity = { ca: server.caPem, authorization: new Secret('Bearer good') };
  const connection: KubeConnection = {
    server: server.url,
    namespace: 'default',
    insecure: false,
    headers: {},
    identity: () => Promise.resolve(identity),
    renew: () => Promise.resolve(identity),
    ...overrides,
  };
  return createKubeClient({ connection, runtime, userAgent: 'portcullis/test' });
}

export function value<T>(answer: T | Fault): T {
  if (isFault(answer)) throw answer;
  return answer;
}

export function fault(answer: unknown): Fault {
  if (!isFault(answer)) throw new Error('a fault was expected');
  return answer;
}

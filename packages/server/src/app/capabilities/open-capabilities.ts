import { lookup } from 'node:dns/promises';
import { createCapabilities } from '../../capabilities/create-capabilities.ts';
import { createCertificateCheck } from '../../capabilities/crypto/is-certificate-trusted.ts';
import {
  createKubernetesCapabilities,
  type KubernetesCapabilities,
} from '../../capabilities/kubernetes/kubernetes-providers.ts';
import { createDnsLookup } from '../../capabilities/net/dns-lookup.ts';
import { createOciProviders } from '../../capabilities/oci/oci-providers.ts';
import { unavailable } from '../../capabilities/provider.ts';
import { CAPABILITIES, type HostCapabilities } from '../../engines/host-capabilities.ts';
import type { Host } from '../../kernel/ports.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import type { ReflectorState } from '../../kube/reflector/reflector-types.ts';
import type { OciClient } from '../../oci/oci-client.ts';
import type { Config } from '../config/config.ts';

export interface ServerCapabilities extends HostCapabilities {
  /** Of what is followed in the cluster for policies, by a name for people. */
  states(): ReadonlyMap<string, ReflectorState>;
  stop(): Promise<void>;
}

export interface CapabilityParts {
  readonly config: Config['capabilities'];
  readonly host: Host;
  readonly oci: OciClient;
  /** Undefined when the server has no cluster. */
  readonly kube: KubeClient | undefined;
}

/** Everything that policies may ask of this server; nothing is asked of anybody yet. */
export function openCapabilities({ config, host, oci, kube }: CapabilityParts): ServerCapabilities {
  const { allowPrivate, maxCacheBytes, ociTtl } = config;
  const kubernetes: KubernetesCapabilities | undefined =
    kube === undefined
      ? undefined
      : createKubernetesCapabilities({ client: kube, runtime: host, maxBytes: maxCacheBytes });
  const capabilities = createCapabilities(
    {
      ...(kubernetes?.providers ?? NO_CLUSTER),
      ...createOciProviders({ client: oci, clock: host.clock, ttl: ociTtl }),
      'net/v1/dns_lookup_host': createDnsLookup({ runtime: host, lookup: lookupAll, allowPrivate }),
      'crypto/v1/is_certificate_trusted': createCertificateCheck(host.clock),
    },
    host,
  );
  return {
    ...capabilities,
    states: () => kubernetes?.states() ?? new Map(),
    stop: async () => kubernetes?.stop(),
  };
}

const NO_CLUSTER = unavailable(
  CAPABILITIES.filter((name) => name.startsWith('kubernetes/')),
  'it has no cluster; set `kubernetes.enabled`',
);

async function lookupAll(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

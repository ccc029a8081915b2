import { Fault, isFault } from '../kernel/fault.ts';
import type { Clock, Logger } from '../kernel/ports.ts';
import type { RegistryObserver } from '../oci/registry-observer.ts';
import { openCapabilities, type ServerCapabilities } from './capabilities/open-capabilities.ts';
import type { Config } from './config/config.ts';
import { createHost } from './create-host.ts';
import type { Cluster } from './kube/open-cluster.ts';
import { openCertificates, type Certificates } from './open-certificates.ts';
import { openSources, type Sources } from './open-sources.ts';
import { probePort } from './probe-port.ts';
import { createTokenKeeper, type TokenKeeper } from './tokens/token-keeper.ts';

/** What has to be there before a server can start: read once, and kept current later. */
export interface Footing {
  readonly tokens: TokenKeeper;
  readonly certificates: Certificates;
  readonly cluster: Cluster | undefined;
  readonly sources: Sources;
  readonly capabilities: ServerCapabilities;
}

/** A fault says what is missing; nothing listens yet. */
export async function openFooting(
  config: Config,
  clock: Clock,
  log: Logger,
  observer: RegistryObserver,
): Promise<Footing | Fault> {
  const tokens = await createTokenKeeper({ ...config.management, log });
  if (isFault(tokens)) return tokens;
  const certificates = await openCertificates(config, clock, log);
  if (isFault(certificates)) return certificates;
  const cluster = config.kubernetes.enabled ? await openCluster(config, clock, log) : undefined;
  if (isFault(cluster)) return cluster;
  const machine = createHost(clock, log);
  const sources = await openSources(config, machine, cluster, observer);
  if (isFault(sources)) return sources;
  const { host, port } = config.serving;
  const taken = port === 0 ? undefined : await probePort(host, port);
  if (taken !== undefined) return taken;
  const capabilities = openCapabilities({
    config: config.capabilities,
    host: machine,
    oci: sources.registries.client,
    kube: cluster?.client,
  });
  return { tokens, certificates, cluster, sources, capabilities };
}

/** Loaded only where there is one: a server of files starts sooner without it. */
async function openCluster(config: Config, clock: Clock, log: Logger): Promise<Cluster | undefined | Fault> {
  const kube = await import('./kube/open-cluster.ts');
  return kube.openCluster(config, clock, log);
}

import { readFile } from 'node:fs/promises';
import { isFault, type Fault } from '../kernel/fault.ts';
import type { Host } from '../kernel/ports.ts';
import { attempt } from '../kernel/result.ts';
import { closedPolicyStore } from '../sources/api/closed-policy-store.ts';
import { createPolicyStore, type PolicyStore } from '../sources/api/policy-store.ts';
import { createFileDocumentSource } from '../sources/file/file-document-source.ts';
import { createFileModuleSource } from '../sources/file/file-module-source.ts';
import { inlineModuleSource } from '../sources/inline/inline-module-source.ts';
import type { ModuleCache } from '../sources/module-cache.ts';
import { createModuleResolver, type ModuleResolver } from '../sources/module-resolver.ts';
import type { DocumentSource } from '../sources/source.ts';
import { createOciModuleSource, type OciModuleSource } from '../sources/oci/oci-module-source.ts';
import { createUrlModuleSource } from '../sources/url/url-module-source.ts';
import type { OciClient } from '../oci/oci-client.ts';
import type { RegistryObserver } from '../oci/registry-observer.ts';
import type { Config } from './config/config.ts';
import { wasiModulesOf } from './config/wasi-modules-of.ts';
import type { Cluster } from './kube/open-cluster.ts';
import { openModuleCache, type OpenedCache } from './open-module-cache.ts';
import { joinedPem, openOciClient } from './open-oci-client.ts';

export interface Sources {
  readonly files: DocumentSource;
  readonly store: PolicyStore;
  readonly modules: ModuleResolver;
  readonly registries: Registries;
  readonly cache: OpenedCache;
}

/** Modules of registries, and the connections to them. */
export interface Registries extends OciModuleSource {
  /** The connections; policies that ask about images use them too. */
  readonly client: OciClient;
  close(): void;
}

/** Milliseconds that a start waits for a registry whose modules are in the cache. */
const PATIENCE = 5000;

/** Where policies and modules come from, as the configuration says. */
export async function openSources(
  config: Config,
  host: Host,
  cluster: Cluster | undefined,
  observer: RegistryObserver,
): Promise<Sources | Fault> {
  const { policies, sources, dataDirectory, kubewarden } = config;
  const { wall } = host.clock;
  const { maxModuleBytes, url } = sources;
  const { caFile, ca: inline, ...limits } = url;
  const fromFile =
    caFile === undefined
      ? undefined
      : await attempt('PC_CONFIG_VALUE', 'cannot read `sources.url.caFile`', () => readFile(caFile, 'utf8'));
  if (isFault(fromFile)) return fromFile;
  const ca = joinedPem(fromFile, inline);
  const cache = await openModuleCache(sources.cache, wall, host.log);
  const registries = await openRegistries(sources, cache, host, observer);
  if (isFault(registries)) return registries;
  return {
    files: createFileDocumentSource({
      directories: policies.directories,
      files: policies.files,
      pluginsFiles: policies.pluginsFile === undefined ? [] : [policies.pluginsFile],
      wasiModules: wasiModulesOf(policies),
      kubewarden: {
        files: kubewarden.policiesFile === undefined ? [] : [kubewarden.policiesFile],
        reading: {
          reach: 'name',
          timeoutMs: kubewarden.policyTimeout,
          monitorWarnings: kubewarden.monitorWarnings,
        },
      },
      checkInterval: policies.checkInterval,
      wall,
    }),
    // What one replica keeps for itself the others would not know.
    store: cluster?.resources === undefined ? createPolicyStore(dataDirectory, wall) : closedPolicyStore,
    modules: createModuleResolver(
      [
        createFileModuleSource({ maxModuleBytes, wall }),
        inlineModuleSource,
        createUrlModuleSource({ maxModuleBytes, ...limits, cache, ...(ca === undefined ? {} : { ca }) }),
        registries,
        ...(cluster?.modules ?? []),
      ],
      maxModuleBytes,
    ),
    registries,
    cache,
  };
}

async function openRegistries(
  { oci, maxModuleBytes }: Config['sources'],
  cache: ModuleCache,
  runtime: Host,
  observer: RegistryObserver,
): Promise<Registries | Fault> {
  const client = await openOciClient(oci, runtime, observer);
  if (isFault(client)) return client;
  const { refresh, timeout } = oci;
  const patience = Math.min(PATIENCE, timeout);
  const source = createOciModuleSource({ client, runtime, maxModuleBytes, refresh, cache, patience });
  return { ...source, client, close: () => client.close() };
}

import { hostname } from 'node:os';
import { isFault, type Fault } from '../../kernel/fault.ts';
import type { Clock, Logger } from '../../kernel/ports.ts';
import { createKubeClient } from '../../kube/create-kube-client.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import type { KubeHost } from '../../kube/kube-host.ts';
import { createReflector } from '../../kube/reflector/create-reflector.ts';
import type { ReflectorState } from '../../kube/reflector/reflector-types.ts';
import {
  createCustomResourceSource,
  type CustomResourceSource,
} from '../../sources/crd/custom-resource-source.ts';
import { createDataModuleSource, type DataModuleSource } from '../../sources/kube-data/data-module-source.ts';
import { CONFIG_MAPS, SECRETS } from '../../sources/kube-data/data-object.ts';
import { createDataObjectSource, type DataObjectSource } from '../../sources/kube-data/data-object-source.ts';
import type { Reflect } from '../../sources/reflect.ts';
import type { DocumentSource, ModuleSource } from '../../sources/source.ts';
import type { Config } from '../config/config.ts';
import { VERSION } from '../version.ts';
import { createHost } from '../create-host.ts';
import { followNamespaces, type Namespaces } from './follow-namespaces.ts';
import { openConnection } from './open-connection.ts';

/** A Kubernetes API server as the place where policies, modules and namespaces come from. */
export interface Cluster {
  readonly client: KubeClient;
  readonly host: KubeHost;
  readonly reflect: Reflect;
  /** Our own. */
  readonly namespace: string;
  /** This replica's name. */
  readonly identity: string;
  readonly documents: readonly DocumentSource[];
  readonly modules: readonly ModuleSource[];
  /** Everything whose changes ask for a reload. */
  readonly watched: readonly Pick<DocumentSource, 'watch'>[];
  readonly resources: CustomResourceSource | undefined;
  readonly namespaces: Namespaces | undefined;
  start(): void;
  /** Modules that no policy has asked for since the last call are no longer followed. */
  sweep(): void;
  /** Of everything that is followed, by a name for people. */
  states(): ReadonlyMap<string, ReflectorState>;
  stop(): Promise<void>;
}

/** Undefined when the server is not to look at a cluster. */
export async function openCluster(
  { kubernetes }: Config,
  clock: Clock,
  log: Logger,
): Promise<Cluster | Fault | undefined> {
  if (!kubernetes.enabled) return undefined;
  const host = createHost(clock, log);
  const connection = await openConnection(kubernetes, host);
  if (isFault(connection)) return connection;
  const client = createKubeClient({ connection, runtime: host, userAgent: `portcullis/${VERSION}` });
  const namespace = kubernetes.namespace ?? connection.namespace;
  const reflect: Reflect = (options) => createReflector({ ...options, client, runtime: host });

  const resources = kubernetes.resources
    ? createCustomResourceSource({ reflect, client, runtime: host })
    : undefined;
  const labelled: DataObjectSource[] = [];
  const modules: DataModuleSource[] = [];
  for (const { kind, labelSelector } of [
    { kind: CONFIG_MAPS, labelSelector: kubernetes.configMaps },
    { kind: SECRETS, labelSelector: kubernetes.secrets },
  ]) {
    if (labelSelector !== '') {
      labelled.push(createDataObjectSource({ kind, namespace, labelSelector, reflect }));
    }
    modules.push(createDataModuleSource({ kind, namespace, reflect, runtime: host }));
  }
  const documents = [...(resources === undefined ? [] : [resources]), ...labelled];
  const namespaces = kubernetes.namespaceLabels ? followNamespaces(reflect) : undefined;

  return {
    client,
    host,
    reflect,
    namespace,
    identity: kubernetes.identity ?? hostname(),
    documents,
    modules,
    watched: [...documents, ...modules],
    resources,
    namespaces,
    start() {
      resources?.start();
      for (const source of labelled) source.start();
      namespaces?.start();
    },
    sweep() {
      for (const source of modules) source.sweep();
    },
    states: () =>
      new Map([
        ...(resources?.states() ?? []),
        ...labelled.map((source): [string, ReflectorState] => [source.name, source.state()]),
        ...(namespaces === undefined ? [] : ([['namespaces', namespaces.state()]] as const)),
      ]),
    async stop() {
      await Promise.all([
        resources?.stop(),
        namespaces?.stop(),
        ...labelled.map((source) => source.stop()),
        ...modules.map((source) => source.stop()),
      ]);
      client.close();
    },
  };
}

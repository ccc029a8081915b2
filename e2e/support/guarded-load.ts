import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OWN, type Cluster } from './cluster.ts';
import { startExcusedLoad, type Attempt, type ExcusedLoad } from './excused-load.ts';
import { collectionPath, pod, type KubernetesObject } from './kubernetes-objects.ts';
import { moduleConfigMap, portcullisObject } from './portcullis-objects.ts';
import { createReviewClient } from './review-client.ts';
import { waitUntil } from './wait-until.ts';

/** Where pods are created all the time. */
export const GUARDED = 'guarded';

const REGISTRY = join(import.meta.dirname, '..', '..', 'policies', 'image-registry', 'image-registry.wasm');
const GOOD = 'registry.k8s.io/pause:3.10';
const BAD = 'quay.io/acme/app:1';
const DENIAL = /\[guard\] only images of our registry/;

/** A policy that must hold whatever happens, and its module in a ConfigMap. */
export async function guardObjects(): Promise<readonly KubernetesObject[]> {
  const module = moduleConfigMap(
    { name: 'guard', namespace: OWN },
    { 'plugin.wasm': await readFile(REGISTRY) },
  );
  const policy = portcullisObject(
    'Policy',
    { name: 'guard' },
    {
      match: {
        operations: ['CREATE'],
        resources: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
        namespaces: [GUARDED],
      },
      module: { configMap: { name: 'guard', key: 'plugin.wasm' } },
      settings: { registries: ['registry.k8s.io/'] },
      message: 'only images of our registry',
      // The machine is busy with other things than us, too.
      limits: { timeout: '5s' },
    },
  );
  return [module, policy];
}

/** Puts the guard in force. */
export async function postGuard(cluster: Cluster): Promise<void> {
  for (const object of await guardObjects()) await cluster.apply(object);
  await waitUntil(async () => (await throughApiServer(cluster, 1)).failure === undefined, {
    what: 'the guard to deny',
    within: 60_000,
  });
}

/** Every second pod has an image that must be denied. */
const guardedPod = (index: number): KubernetesObject =>
  pod({ name: `pod-${index}`, namespace: GUARDED }, index % 2 === 0 ? GOOD : BAD);

/** Pods that are created as dry runs, as any client of the cluster would. */
export function startApiLoad(cluster: Cluster, workers = 4, rest = 20): ExcusedLoad {
  return startExcusedLoad({ attempt: (index) => throughApiServer(cluster, index), workers, rest });
}

/** Reviews that come by the balancer, also while there is no API server. */
export function startReviewLoad(cluster: Cluster, workers = 2, rest = 20): ExcusedLoad {
  const { replicas, authority } = cluster;
  const attempt = async (index: number): Promise<Attempt> => {
    // A connection of its own for each, so that a replica that is gone is not asked again.
    const client = createReviewClient(replicas.url, authority.pem);
    try {
      const { allowed, message } = await client.ask(guardedPod(index));
      const isRight = index % 2 === 0 ? allowed : !allowed && DENIAL.test(message);
      return { text: `${allowed} ${message}`, ...(isRight ? {} : { failure: 'wrong' }) };
    } catch (error) {
      return { text: String(error), failure: 'webhook' };
    } finally {
      client.close();
    }
  };
  return startExcusedLoad({ attempt, workers, rest });
}

async function throughApiServer({ kube }: Cluster, index: number): Promise<Attempt> {
  const object = guardedPod(index);
  try {
    const { status, text } = await kube.request('POST', `${collectionPath(object)}?dryRun=All`, object);
    if (index % 2 === 0 ? status === 201 : status === 422 && DENIAL.test(text)) return { text };
    if (text.includes('failed calling webhook')) return { failure: 'webhook', text };
    const isDecision = status === 201 || text.includes('denied the request');
    return { failure: isDecision ? 'wrong' : 'api-server', text: `${status} ${text}` };
  } catch (error) {
    return { failure: 'api-server', text: String(error) };
  }
}

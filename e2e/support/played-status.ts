import type { Container, Deployment } from './deployment.ts';
import { at } from './kubernetes-objects.ts';
import type { PodOptions } from './pod.ts';

/** A pod as controllers see it. */
export interface SeenPod {
  readonly ip: string;
  readonly ready: boolean;
  readonly ending: boolean;
  /** It is of the newest template. */
  readonly updated: boolean;
}

/** `name` is that of the Deployment. */
type Options = Pick<PodOptions, 'kube' | 'namespace' | 'name'>;
const MERGE = { 'content-type': 'application/merge-patch+json' };

/** Keeps the EndpointSlice of the Service as it has to be; writes only what is new. */
export function endpointTeller({
  kube,
  namespace,
  name,
}: Options): (deployment: Deployment | undefined, pods: readonly SeenPod[]) => Promise<void> {
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  let told = '';
  return async (deployment, pods) => {
    const service = await kube.request('GET', `/api/v1/namespaces/${namespace}/services/${name}`);
    const container = deployment?.spec.template.spec.containers[0];
    if (service.status !== 200 || container === undefined) {
      if (told !== '') await kube.request('DELETE', `${slices}/${name}-played`);
      told = '';
      return;
    }
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-played`, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: pods.map(({ ip, ready, ending }) => ({
        addresses: [ip],
        conditions: { ready, terminating: ending },
      })),
      ports: portsOf(service.body, container),
    };
    const text = JSON.stringify(slice);
    if (text === told) return;
    const [verb, path] = told === '' ? ['POST', slices] : ['PUT', `${slices}/${name}-played`];
    const answer = await kube.request(verb, path, slice);
    if (answer.status >= 300) throw new Error(`the endpoints are not written: ${answer.text}`);
    told = text;
  };
}

function portsOf(service: unknown, { ports }: Container): object[] {
  const wanted = at(service, 'spec', 'ports');
  if (!Array.isArray(wanted)) return [];
  return wanted.map((port: unknown) => ({
    name: at(port, 'name'),
    protocol: 'TCP',
    port: ports.find(({ name }) => name === at(port, 'targetPort'))?.containerPort,
  }));
}

/** Of the Deployment, and of the disruption budget with its name, for which Helm waits too. */
export async function tellStatus(
  { kube, namespace, name }: Options,
  { metadata, spec }: Deployment,
  pods: readonly SeenPod[],
): Promise<void> {
  const alive = pods.filter(({ ending }) => !ending);
  const ready = alive.filter((pod) => pod.ready).length;
  const isDone = alive.filter((pod) => pod.ready && pod.updated).length >= spec.replicas;
  const status = {
    observedGeneration: metadata.generation,
    replicas: alive.length,
    updatedReplicas: alive.filter(({ updated }) => updated).length,
    readyReplicas: ready,
    availableReplicas: ready,
    unavailableReplicas: Math.max(0, spec.replicas - ready),
    conditions: [
      { type: 'Available', status: isDone ? 'True' : 'False', reason: 'Played' },
      // The word that Helm waits for.
      { type: 'Progressing', status: 'True', reason: isDone ? 'NewReplicaSetAvailable' : 'Played' },
    ],
  };
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}/status`;
  await kube.request('PATCH', path, { status }, MERGE);
  const budget = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/${name}`;
  const { body } = await kube.request('GET', budget);
  const desiredHealthy = Number(at(body, 'spec', 'minAvailable') ?? 0);
  const counts = {
    observedGeneration: at(body, 'metadata', 'generation'),
    expectedPods: spec.replicas,
    currentHealthy: ready,
    desiredHealthy,
    disruptionsAllowed: Math.max(0, ready - desiredHealthy),
    conditions: [],
  };
  await kube.request('PATCH', `${budget}/status`, { status: counts }, MERGE);
}

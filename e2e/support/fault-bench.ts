import { deepEqual, equal } from 'node:assert/strict';
import { untilSettled } from './cluster-state.ts';
import { OWN, startCluster, type Cluster, type ClusterOptions } from './cluster.ts';
import type { ExcusedLoad } from './excused-load.ts';
import { fixedPolicy } from './fixed-policy.ts';
import { GUARDED, postGuard, startApiLoad, startReviewLoad } from './guarded-load.ts';
import { pod, type KubernetesObject } from './kubernetes-objects.ts';
import { moduleConfigMap, portcullisObject } from './portcullis-objects.ts';
import { createProber, type Prober } from './prober.ts';
import type { Judgement } from './review-client.ts';
import { waitUntil } from './wait-until.ts';

const TEAM = 'team-a';
export const CREATE_PODS = {
  operations: ['CREATE'],
  resources: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
};
/** What the policies of the tests are about. */
export const IN_TEAM = { ...CREATE_PODS, namespaces: [TEAM] };
export const PROBE = pod({ name: 'probe', namespace: TEAM });
/** A module that denies; it lies in a ConfigMap of every API server. */
export const DENY = { configMap: { name: 'deny', key: 'm' } };
/** Labels of what is a plugin. */
export const PLUGIN = { 'portcullis.dev/plugin': 'true' };

/** A policy that denies with its name. */
export function denying(name: string, spec: object = {}): KubernetesObject {
  const all = { match: IN_TEAM, module: DENY, message: `denied by ${name}`, ...spec };
  return portcullisObject('Policy', { name }, all);
}

export function denies(text: string): (judgement: Judgement) => boolean {
  return ({ allowed, message }) => !allowed && message.includes(text);
}

export function allows({ allowed }: Judgement): boolean {
  return allowed;
}

export function denyingModule(message: string): Promise<Uint8Array> {
  return fixedPolicy({ allowed: false, message });
}

/** Three replicas that are asked all the time, by the API server and by the balancer. */
export interface FaultBench {
  readonly cluster: Cluster;
  readonly prober: Prober;
  readonly apiLoad: ExcusedLoad;
  readonly reviewLoad: ExcusedLoad;
  /** Puts the module and the policy of the load into the API server. */
  post(): Promise<void>;
  /** The value of a metric, of each replica. */
  metrics(name: string, labels?: Readonly<Record<string, string>>): Promise<readonly (number | undefined)[]>;
  /** `kubernetes` of the statuses of all replicas, as JSON. */
  statuses(): Promise<string>;
  /** What they say about watches that do not go; empty when all go. */
  complaints(): Promise<string>;
  /** For as long as it takes to have so many reviews answered, all is as it was: every replica ready, every answer right. */
  goesOn(more?: number): Promise<void>;
  /** Throws unless all agree, and unless every answer since the last call was right. */
  check(): Promise<void>;
  stop(): Promise<void>;
}

export async function openFaultBench(
  options: Pick<ClusterOptions, 'name' | 'sections' | 'env'>,
): Promise<FaultBench> {
  const cluster = await startCluster({ ...options, replicas: 3, namespaces: [TEAM, GUARDED] });
  const prober = createProber(cluster);
  const post = async (): Promise<void> => {
    const module = await denyingModule('the module');
    await cluster.create(moduleConfigMap({ name: 'deny', namespace: OWN }, { m: module }));
    await postGuard(cluster);
  };
  await post();
  const apiLoad = startApiLoad(cluster);
  const reviewLoad = startReviewLoad(cluster);
  /** Failures that were told. */
  let known = { api: 0, reviews: 0 };
  const statuses = async (): Promise<string> =>
    JSON.stringify(
      await Promise.all(cluster.replicas.all().map((replica) => cluster.view(replica).kubernetes())),
    );

  return {
    cluster,
    prober,
    apiLoad,
    reviewLoad,
    post,
    metrics: (name, labels) =>
      Promise.all(cluster.replicas.all().map((replica) => cluster.view(replica).metric(name, labels))),
    statuses,
    complaints: async () =>
      [...(await statuses()).matchAll(/"problem":("(?:[^"\\]|\\.)*")/g)].map(([, text]) => text).join('\n'),
    async goesOn(more = 50) {
      const goal = reviewLoad.counts().requests + more;
      await waitUntil(() => reviewLoad.counts().requests >= goal, { what: 'more reviews' });
      deepEqual(reviewLoad.counts().failures.slice(known.reviews), []);
      for (const { server, name } of cluster.replicas.all()) equal(await server.isReady(), true, name);
    },
    async check() {
      await untilSettled(cluster);
      const seen = known;
      const [api, reviews] = [apiLoad.counts().failures, reviewLoad.counts().failures];
      known = { api: api.length, reviews: reviews.length };
      deepEqual(api.slice(seen.api), []);
      deepEqual(reviews.slice(seen.reviews), []);
    },
    async stop() {
      await apiLoad.stop();
      await reviewLoad.stop();
      prober.close();
      await cluster.stop();
    },
  };
}

import { deepEqual, equal, ok } from 'node:assert/strict';
import { CUSTOM_RESOURCES } from '../../packages/server/src/policy/custom-resources/custom-resources.ts';
import { OWN, type Cluster } from './cluster.ts';
import type { KubeApiserver } from './kube-apiserver.ts';
import { at } from './kubernetes-objects.ts';
import type { ListedPolicy } from './replica-view.ts';
import { waitUntil } from './wait-until.ts';

/** One object of the API server from which a policy comes. */
interface Stored {
  /** As `status.origin` of the policy names it. */
  readonly origin: string;
  /** Undefined for what is no custom resource, and has no status. */
  readonly object?: unknown;
}

const POLICY_KINDS = CUSTOM_RESOURCES.filter(({ document }) => document !== 'PolicyException');
const LABELLED = `/api/v1/namespaces/${OWN}/configmaps?labelSelector=portcullis.dev%2Fplugin%3Dtrue`;

/** Policies as the API server has them; every labelled ConfigMap counts as one. */
async function storedPolicies(kube: KubeApiserver): Promise<readonly Stored[]> {
  const custom = await Promise.all(
    POLICY_KINDS.map(async ({ plural }) =>
      (await itemsOf(kube, `/apis/portcullis.dev/v1/${plural}`)).map((object) => ({
        origin: `${plural}.portcullis.dev/${nameOf(object)}`,
        object,
      })),
    ),
  );
  const plugins = (await itemsOf(kube, LABELLED)).map((object) => ({
    origin: `ConfigMap/${nameOf(object)}`,
  }));
  return [...custom.flat(), ...plugins];
}

async function itemsOf(kube: KubeApiserver, path: string): Promise<readonly unknown[]> {
  const { status, body, text } = await kube.request('GET', path);
  equal(status, 200, text);
  return at(body, 'items') as readonly unknown[];
}

function nameOf(object: unknown): string {
  const [space, name] = ['namespace', 'name'].map((key) => at(object, 'metadata', key));
  return typeof space === 'string' ? `${space}/${String(name)}` : String(name);
}

/**
 * Throws unless every replica is ready, knows what the API server has and nothing else, agrees with all others on what became
 * of it, and unless the statuses in the API server say the same.
 */
export async function checkSettled(cluster: Cluster): Promise<void> {
  const { kube, replicas } = cluster;
  const stored = await storedPolicies(kube);
  const lists = await Promise.all(
    replicas.all().map(async (replica) => {
      equal(await replica.server.isReady(), true, `${replica.name} is not ready`);
      const view = cluster.view(replica);
      const policies = await view.policies();
      deepEqual(
        policies.map(({ status }) => status.origin).sort(),
        stored.map(({ origin }) => origin).sort(),
        `${replica.name} has other policies than the API server`,
      );
      const watches = at(await view.kubernetes(), 'watches') as readonly object[];
      for (const watch of watches) {
        equal(at(watch, 'problem'), undefined, `${replica.name}: ${JSON.stringify(watch)}`);
        equal(at(watch, 'phase'), 'watching', `${replica.name}: ${JSON.stringify(watch)}`);
        const resource = String(at(watch, 'name'));
        const items = await view.metric('portcullis_kubernetes_watch_items', { resource });
        equal(items, at(watch, 'items'), `${replica.name}: ${resource}`);
        equal(await view.metric('portcullis_kubernetes_watch_synced', { resource }), 1);
      }
      return { name: replica.name, policies };
    }),
  );
  const [first, ...others] = lists;
  ok(first !== undefined);
  const outcome = outcomesOf(first.policies);
  for (const { name, policies } of others) {
    deepEqual(outcomesOf(policies), outcome, `${name} and ${first.name} disagree`);
  }
  for (const { origin, object } of stored) {
    if (object !== undefined) checkStatus(object, origin, first.policies);
  }
}

/** Which document of a name stays in force when the newest is broken depends on what a replica has seen. */
function outcomesOf(policies: readonly ListedPolicy[]): readonly unknown[] {
  return policies.map(({ name, status: { state, problem, origin, digest } }) => ({
    name,
    origin,
    state,
    code: problem?.code,
    digest: problem === undefined ? digest : undefined,
  }));
}

function checkStatus(object: unknown, origin: string, policies: readonly ListedPolicy[]): void {
  const told = policies.find(({ status }) => status.origin === origin)?.status;
  equal(at(object, 'status', 'observedGeneration'), at(object, 'metadata', 'generation'), origin);
  const conditions = at(object, 'status', 'conditions') as readonly object[];
  const loaded = conditions.find((condition) => at(condition, 'type') === 'Loaded');
  equal(at(loaded, 'status'), told?.state === 'refused' ? 'False' : 'True', origin);
  equal(at(loaded, 'reason'), told?.problem?.code ?? 'Loaded', origin);
}

/** Waits until {@link checkSettled} passes. */
export async function untilSettled(cluster: Cluster, within = 60_000): Promise<void> {
  await waitUntil(
    async () => {
      await checkSettled(cluster);
      return true;
    },
    { what: 'all replicas and all statuses to tell what the API server has', within, every: 250 },
  );
}

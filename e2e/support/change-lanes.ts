import { OWN, type Cluster } from './cluster.ts';
import { fixedPolicy } from './fixed-policy.ts';
import { pod, type KubernetesObject } from './kubernetes-objects.ts';
import { moduleConfigMap, portcullisObject } from './portcullis-objects.ts';
import { createProber } from './prober.ts';
import type { Judgement } from './review-client.ts';
import { createSeededRandom } from './seeded-random.ts';
import { waitUntil } from './wait-until.ts';

export interface ChangeCounts {
  /** Milliseconds from each write until it was in force in every thread of every replica, in order of time. */
  readonly delays: readonly number[];
  /** What never came in force, with the error. */
  readonly lost: readonly string[];
}

export interface ChangeLanes {
  counts(): ChangeCounts;
  /** Resolves when the changes that are under way are in force, or lost. */
  stop(): Promise<ChangeCounts>;
}

export interface ChangeLanesOptions {
  readonly cluster: Cluster;
  readonly seed: number;
  readonly lanes: number;
  /** Milliseconds after which a change counts as lost. */
  readonly patience: number;
}

const MODULE_KEY = 'm.wasm';

/** Policies that are written, changed and removed all the time: every second one a custom resource, the others plugins in ConfigMaps. */
export async function startChangeLanes(options: ChangeLanesOptions): Promise<ChangeLanes> {
  const { cluster, seed, lanes, patience } = options;
  const module = await fixedPolicy({ allowed: false, message: 'no' });
  await cluster.apply(moduleConfigMap({ name: 'lanes', namespace: OWN }, { [MODULE_KEY]: module }));
  const prober = createProber(cluster);
  const stopping = new AbortController();
  const delays: number[] = [];
  const lost: string[] = [];

  async function change(object: KubernetesObject, isThere: boolean): Promise<void> {
    const write = (): Promise<void> => (isThere ? cluster.apply(object) : cluster.remove(object));
    // While there is no API server there is nothing to lose.
    await waitUntil(() => write().then(() => true), { what: 'the API server', within: patience });
    const probe = pod({ name: 'probe', namespace: object.metadata.name ?? '' });
    const version = object.metadata.annotations?.['version'] ?? '';
    const isWanted = ({ allowed, message }: Judgement): boolean =>
      isThere ? !allowed && message.endsWith(version) : allowed;
    delays.push(await prober.until(`${probe.metadata.namespace} ${version}`, probe, isWanted, patience));
  }

  async function work(lane: number): Promise<void> {
    const random = createSeededRandom(seed * 1000 + lane);
    for (let round = 0; !stopping.signal.aborted; round += 1) {
      const isThere = round === 0 || random() < 0.8;
      const object = lane % 2 === 0 ? resource(lane, round) : plugin(lane, round, module);
      try {
        await change(object, isThere);
      } catch (error) {
        const { message, cause } = error as Error;
        lost.push(`${message}${cause instanceof Error ? `: ${cause.message}` : ''}`);
      }
    }
  }

  const all = Array.from({ length: lanes }, (_, lane) => work(lane));
  const counts = (): ChangeCounts => ({ delays: [...delays], lost: [...lost] });
  return {
    counts,
    async stop() {
      stopping.abort();
      await Promise.all(all);
      prober.close();
      return counts();
    },
  };
}

function resource(lane: number, round: number): KubernetesObject {
  const { name, annotations, spec } = laneOf(lane, round);
  const module = { configMap: { name: 'lanes', key: MODULE_KEY } };
  return portcullisObject('Policy', { name, annotations }, { ...spec, module });
}

function plugin(lane: number, round: number, module: Uint8Array): KubernetesObject {
  const { name, annotations, spec } = laneOf(lane, round);
  const document = portcullisObject('Policy', { name }, { ...spec, module: { file: MODULE_KEY } });
  const metadata = { name, namespace: OWN, annotations, labels: { 'portcullis.dev/plugin': 'true' } };
  return {
    ...moduleConfigMap(metadata, { [MODULE_KEY]: module }),
    data: { 'policy.yaml': JSON.stringify(document) },
  };
}

/** Each lane has pods of its own to say no to. */
function laneOf(
  lane: number,
  round: number,
): { readonly name: string; readonly annotations: Record<string, string>; readonly spec: object } {
  const name = `lane-${lane}`;
  const version = `version ${round}.`;
  const resources = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];
  const spec = {
    match: { operations: ['CREATE'], resources, namespaces: [name] },
    message: version,
    limits: { timeout: '5s' },
  };
  return { name, annotations: { version }, spec };
}

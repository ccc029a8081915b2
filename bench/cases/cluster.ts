import { startCluster, OWN, type Cluster } from '../../e2e/support/cluster.ts';
import { missingComponent } from '../../e2e/support/components.ts';
import { fixedPolicy } from '../../e2e/support/fixed-policy.ts';
import { pod, type KubernetesObject } from '../../e2e/support/kubernetes-objects.ts';
import { moduleConfigMap, portcullisObject } from '../../e2e/support/portcullis-objects.ts';
import { createProber } from '../../e2e/support/prober.ts';
import { judged, mebibytes, millis, type Figure } from '../figure.ts';
import { MODULE_PATH, readModule } from '../support/policies.ts';
import { openReviewClient } from '../support/review-client.ts';
import { median } from '../support/statistics.ts';
import { residentWhenAsked, teamPolicy } from '../support/team-policies.ts';

const REPLICAS = 3;
const CHANGES = 21;
const POLICIES = 5000;
const WRITERS = 16;
/** So many connections that none of two gate threads is without one. */
const CONNECTIONS = 8;
const MODULE = { configMap: { name: 'modules', key: 'm.wasm' } };

/** What a change costs, and thousands of policies, when all of them are objects of a real API server. */
export async function cluster(): Promise<Figure[]> {
  const missing = missingComponent(['kubernetes-1.36']);
  if (missing !== undefined)
    return [{ name: 'policies as custom resources', figure: 'skipped', detail: missing }];
  return [await change(), ...(await many())];
}

async function change(): Promise<Figure> {
  const running = await startCluster({ name: 'bench-change', replicas: REPLICAS });
  const prober = createProber(running);
  const probe = pod({ name: 'probe', namespace: 'team' });
  const delays: number[] = [];
  try {
    await running.create(moduleOf(await fixedPolicy({ allowed: false, message: 'no' })));
    for (let round = 0; round <= CHANGES; round++) {
      const message = `version ${round}.`;
      const started = performance.now();
      await running.apply(
        portcullisObject(
          'Policy',
          { name: 'changed' },
          { match: { namespaces: ['team'] }, module: MODULE, message },
        ),
      );
      await prober.until(message, probe, (judgement) => judgement.message.endsWith(message));
      // The first one is a new policy, with a module to load.
      if (round > 0) delays.push(performance.now() - started);
    }
  } finally {
    prober.close();
    await running.stop();
  }
  return judged(
    `one change of a custom resource, until ${REPLICAS} replicas decide by it`,
    { value: median(delays), show: millis, detail: `worst of ${CHANGES}: ${millis(Math.max(...delays))}` },
    { below: 1000 },
  );
}

async function many(): Promise<Figure[]> {
  const running = await startCluster({ name: 'bench-many', replicas: 0 });
  try {
    await running.create(moduleOf(readModule(MODULE_PATH)));
    await fill(running);
    const started = performance.now();
    const { port, server } = await running.replicas.add();
    const ready = performance.now() - started;
    const client = await openReviewClient(port, CONNECTIONS);
    const resident = await residentWhenAsked(server.pid, client, POLICIES);
    client.close();
    return [
      judged(
        `ready with ${POLICIES} policies that are custom resources`,
        {
          value: ready / 1000,
          show: (value) => `${value.toFixed(1)} s`,
          detail: 'from the start of the process',
        },
        { below: 20 },
      ),
      judged(
        `resident memory with ${POLICIES} policies that are custom resources, two gate threads`,
        { value: resident, show: mebibytes, detail: 'each policy was asked in each thread' },
        { below: 700 * 1024 ** 2 },
      ),
    ];
  } finally {
    await running.stop();
  }
}

async function fill(running: Cluster): Promise<void> {
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < POLICIES) await running.create(asResource(teamPolicy(next++)));
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
}

/** The same policy with its module in the API server. */
function asResource(policy: object): KubernetesObject {
  const { spec, ...rest } = policy as KubernetesObject & { readonly spec: object };
  return { ...rest, spec: { ...spec, module: MODULE } };
}

function moduleOf(module: Uint8Array): KubernetesObject {
  return moduleConfigMap({ name: 'modules', namespace: OWN }, { 'm.wasm': module });
}

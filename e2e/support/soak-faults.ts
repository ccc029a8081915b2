import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import type { ExcusedLoad } from './excused-load.ts';
import { OWN } from './cluster.ts';
import type { FaultKind } from './faulty-connection.ts';
import { configMap } from './kubernetes-objects.ts';
import { portcullisObject } from './portcullis-objects.ts';

/** What faults are done to. */
export interface Stage {
  readonly cluster: Cluster;
  /** Pods that are created through the API server. */
  readonly apiLoad: ExcusedLoad;
  /** Reviews by the balancer. */
  readonly reviewLoad: ExcusedLoad;
  /** Replicas that are left alone, so that their memory can be compared. */
  readonly kept: number;
  /** Milliseconds that the clocks of the servers are ahead. */
  readonly clockFile: string;
  readonly random: () => number;
}

/** Each begins and ends with everything as it should be, the consequences aside. */
export const SOAK_FAULTS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'connections cut': at('cut'),
  'connections stalled': at('stall'),
  'connections half closed': at('half-close'),
  'bytes twice': at('repeat'),
  'bytes in the wrong order': at('swap'),

  async 'every connection broken'({ cluster: { proxy }, random }) {
    proxy.setRandom({ seed: Math.floor(random() * 1e6), meanBytes: 20_000 });
    proxy.inject('cut');
    await sleep(5000);
    proxy.setRandom(undefined);
    proxy.inject('cut');
  },
  async 'a slow way'({ cluster: { proxy }, random }) {
    proxy.setPace({ delay: 50 + Math.floor(random() * 300) });
    await sleep(4000);
    proxy.setPace({});
  },
  async 'no way'({ cluster: { proxy } }) {
    proxy.accept(false);
    proxy.inject('cut');
    await sleep(3000);
    proxy.accept(true);
  },
  async 'a mute API server'({ cluster: { proxy } }) {
    proxy.hold();
    await sleep(4000);
    proxy.resume();
  },
  'API server restarted': (stage) => without(stage, () => stage.cluster.kube.halt()),
  'API server killed': (stage) => without(stage, () => stage.cluster.kube.kill()),
  async 'a token void before its time'({ cluster: { account, proxy } }) {
    await account().recreate();
    // So long the API server believes in a token that it has seen.
    await sleep(11_000);
    proxy.inject('cut');
    await sleep(2000);
    await account().renewToken();
  },
  'certificate rotated': ({ cluster }) => cluster.rotateCertificate(),
  async 'clocks jump'({ clockFile, random }) {
    await writeFile(clockFile, String(Math.floor((random() - 0.5) * 48 * 3_600_000)));
    await sleep(3000);
    await writeFile(clockFile, '0');
  },
  async 'a replica replaced'({ cluster: { replicas }, kept }) {
    const old = replicas.all()[kept];
    await replicas.add();
    if (old !== undefined) await replicas.remove(old);
  },
  async 'a replica killed'({ cluster: { replicas }, apiLoad, reviewLoad, kept }) {
    const victim = replicas.all()[kept];
    if (victim === undefined) return;
    const kill = async (): Promise<void> => {
      await victim.server.kill();
      await replicas.remove(victim);
    };
    await apiLoad.during(['webhook'], () => reviewLoad.during(['webhook'], kill));
    await replicas.add();
  },
  async 'rubbish written'({ cluster }) {
    const match = { namespaces: ['elsewhere'] };
    const rubbish = [
      portcullisObject(
        'Policy',
        { name: 'rubbish' },
        { match, module: { configMap: { name: 'rubbish', key: 'm' } } },
      ),
      configMap(
        { name: 'rubbish', namespace: OWN, labels: { 'portcullis.dev/plugin': 'true' } },
        { 'policy.yaml': 'kind: [broken' },
      ),
    ];
    for (const object of rubbish) await cluster.apply(object);
    await sleep(1500);
    for (const object of rubbish) await cluster.remove(object);
  },
};

/** Done to all connections to the API server; what they still had to say is then cut off. */
function at(kind: FaultKind): (stage: Stage) => Promise<void> {
  return async ({ cluster: { proxy } }) => {
    proxy.inject(kind);
    await sleep(3000);
    proxy.inject('cut');
  };
}

async function without({ cluster: { kube }, apiLoad }: Stage, end: () => Promise<unknown>): Promise<void> {
  await apiLoad.during(['api-server', 'webhook'], async () => {
    await end();
    await sleep(2000);
    await kube.restart();
  });
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Exit } from './child-process.ts';
import type { Deployment } from './deployment.ts';
import type { KubeApiserver } from './kube-apiserver.ts';
import { endpointTeller, tellStatus } from './played-status.ts';
import type { PodNetwork } from './pod-network.ts';
import { startPod, type Pod } from './pod.ts';
import type { PodImage } from './source-image.ts';

export interface PlayerOptions {
  readonly kube: KubeApiserver;
  readonly network: PodNetwork;
  readonly image: PodImage;
  readonly directory: string;
  readonly namespace: string;
  /** Of the Deployment, and of the Service before it. */
  readonly name: string;
}

/** What stands in for everything of a cluster that is not the API server. */
export interface DeploymentPlayer {
  /** Those that run, also while they end; oldest first. */
  pods(): readonly Pod[];
  /** How pods ended that were told to. */
  exits(): readonly Exit[];
  /** All pods end, as if the Deployment were deleted. Rejects when the last step went wrong. */
  stop(): Promise<void>;
  /** All pods are gone at once, as with their nodes, and none is started any more. */
  kill(): Promise<void>;
}

interface Member {
  readonly pod: Pod;
  readonly template: string;
  ending: boolean;
}

/**
 * Plays the Deployment controller, the kubelet and the EndpointSlice controller for one Deployment and one Service: starts a
 * pod for each replica, replaces pods by the Deployment's own strategy when the template changes, tells the API server which are
 * ready (with `--enable-aggregator-routing` it calls webhooks there), and ends what nobody wants any more.
 */
export function playDeployment(options: PlayerOptions): DeploymentPlayer {
  const { kube, namespace, name } = options;
  const members: Member[] = [];
  const exits: Exit[] = [];
  const tellEndpoints = endpointTeller(options);
  const endings = new Set<Promise<void>>();
  const stopping = new AbortController();
  let started = 0;
  let problem: unknown;
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;

  function endMember(member: Member): void {
    member.ending = true;
    const ending = member.pod.stop().then((exit) => {
      members.splice(members.indexOf(member), 1);
      exits.push(exit);
      endings.delete(ending);
    });
    endings.add(ending);
  }

  async function read(): Promise<Deployment | undefined> {
    const { status, body } = await kube.request('GET', path);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`the Deployment cannot be read: ${status}`);
    return body as Deployment;
  }

  async function step(): Promise<void> {
    const deployment = await read();
    const crashed = members.find(({ pod, ending }) => !ending && pod.exit() !== undefined);
    if (crashed !== undefined) throw new Error(`${crashed.pod.name} crashed:\n${crashed.pod.logs()}`);
    if (deployment === undefined) {
      for (const member of members) if (!member.ending) endMember(member);
    } else await roll(deployment);
    const template = JSON.stringify(deployment?.spec.template);
    const seen = members.map(({ pod, ending, ...member }) => {
      return { ip: pod.ip, ready: pod.isReady(), ending, updated: member.template === template };
    });
    await tellEndpoints(deployment, seen);
    if (deployment !== undefined) await tellStatus(options, deployment, seen);
  }

  /** At most one pod more or less at a time, so that every step sees what the last one did. */
  async function roll({ spec }: Deployment): Promise<void> {
    const template = JSON.stringify(spec.template);
    const { maxSurge, maxUnavailable } = spec.strategy.rollingUpdate;
    const alive = members.filter(({ ending }) => !ending);
    const newest = alive.filter((member) => member.template === template);
    if (newest.length < spec.replicas && alive.length < spec.replicas + maxSurge) {
      started += 1;
      const pod = await startPod({ ...options, name: `${name}-${started}`, template: spec.template });
      members.push({ pod, template, ending: false });
      return;
    }
    const ready = alive.filter(({ pod }) => pod.isReady());
    const [old] = unreadyFirst(alive.filter((member) => member.template !== template));
    const [surplus] = newest.length > spec.replicas ? newest : [];
    const expendable = surplus ?? (ready.length > spec.replicas - maxUnavailable ? old : undefined);
    if (expendable !== undefined) endMember(expendable);
  }

  const work = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await step();
        problem = undefined;
      } catch (error) {
        problem = error;
      }
      await sleep(200);
    }
  })();

  const halt = async (): Promise<void> => {
    stopping.abort();
    await work;
  };
  return {
    pods: () => members.map(({ pod }) => pod),
    exits: () => exits,
    kill: async () => {
      await halt();
      await Promise.all(members.map(({ pod }) => pod.kill()));
      members.length = 0;
    },
    stop: async () => {
      await halt();
      for (const member of members) if (!member.ending) endMember(member);
      await Promise.all(endings);
      if (problem !== undefined)
        throw new Error('a part of the cluster was played badly', { cause: problem });
    },
  };
}

function unreadyFirst(members: readonly Member[]): readonly Member[] {
  return members.toSorted((a, b) => Number(a.pod.isReady()) - Number(b.pod.isReady()));
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { endToEndRequired, missingComponent } from './components.ts';
import { playDeployment, type DeploymentPlayer } from './deployment-player.ts';
import { createHelm } from './helm.ts';
import { startKubeApiserver, type KubeApiserver } from './kube-apiserver.ts';
import { canMakeNetworks, createPodNetwork } from './pod-network.ts';
import type { CommandResult } from './run-command.ts';
import { createSourceImage } from './source-image.ts';
import { createWorkDirectory } from './work-directory.ts';

/** An empty cluster as far as one machine has it: an API server, a network of pods, and somebody who runs Deployments. */
export interface ClusterStage {
  readonly kube: KubeApiserver;
  readonly directory: string;
  /** As the administrator. */
  helm(args: readonly string[]): Promise<CommandResult>;
  /** From now on the Deployment and the Service of this name are played. */
  play(namespace: string, name: string): DeploymentPlayer;
  close(): Promise<void>;
}

/** Why a stage cannot be set up here; false when it can, or must be. */
export function noClusterStage(): string | false {
  if (endToEndRequired()) return false;
  return (
    missingComponent(['kubernetes-1.36', 'helm-4']) ??
    (canMakeNetworks() ? false : 'networks of pods need iproute2 and root')
  );
}

/** `flags` of the API server, as for `startKubeApiserver`. */
export async function createClusterStage(
  name: string,
  flags: Readonly<Record<string, string>> = {},
): Promise<ClusterStage> {
  const directory = await createWorkDirectory(name);
  const network = await createPodNetwork();
  const players: DeploymentPlayer[] = [];
  let kube: KubeApiserver;
  try {
    kube = await startKubeApiserver({
      directory: await createWorkDirectory(`${name}-kubernetes`),
      flags: {
        'bind-address': '0.0.0.0',
        'service-cluster-ip-range': network.serviceRange,
        // Webhooks that are registered by a Service are called at its endpoints: nobody here forwards cluster addresses.
        'enable-aggregator-routing': 'true',
        ...flags,
      },
    });
  } catch (error) {
    await network.remove();
    throw error;
  }
  const image = await createSourceImage(directory);
  const helm = await createHelm({ directory, kubeconfigPath: kube.kubeconfigPath });
  return {
    kube,
    directory,
    helm: (args) => helm(args),
    play(namespace, deployment) {
      const folder = join(directory, `pods-${players.length}`);
      mkdirSync(folder);
      const player = playDeployment({
        kube,
        network,
        image,
        directory: folder,
        namespace,
        name: deployment,
      });
      players.push(player);
      return player;
    },
    close: async () => {
      const ends = await Promise.allSettled(players.map((player) => player.stop()));
      await kube.stop();
      await network.remove();
      const failed = ends.find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    },
  };
}

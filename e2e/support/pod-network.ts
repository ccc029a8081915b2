import { randomInt } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { runCommand } from './run-command.ts';

/** A network of pods on this machine: every pod has an address and all ports to itself. */
export interface PodNetwork {
  /** For `--service-cluster-ip-range`; its first address is `serviceHost`, which the API server's certificate names. */
  readonly serviceRange: string;
  /** An address of the machine that pods reach. */
  readonly serviceHost: string;
  /** A network of its own, with one address. */
  addPod(): Promise<PodAddress>;
  removePod(pod: PodAddress): Promise<void>;
  remove(): Promise<void>;
}

export interface PodAddress {
  readonly ip: string;
  /** In the manner of `ip netns`. */
  readonly network: string;
}

/** Whether networks can be made here: iproute2, and the rights of an administrator. */
export function canMakeNetworks(): boolean {
  return process.getuid?.() === 0 && spawnSync('ip', ['-V']).status === 0;
}

/** Half of a /24 is for Services, half for pods. Nothing leaves the machine. */
export async function createPodNetwork(): Promise<PodNetwork> {
  const { third, bridge } = await addBridge();
  const prefix = `10.213.${third}`;
  await ip('addr', 'add', `${prefix}.1/24`, 'dev', bridge);
  await ip('link', 'set', bridge, 'up');
  let last = 128;
  const pods = new Set<PodAddress>();

  async function removePod(pod: PodAddress): Promise<void> {
    if (!pods.delete(pod)) return;
    // The pair goes with the network that has one end of it.
    await ip('netns', 'del', pod.network);
  }
  return {
    serviceRange: `${prefix}.0/25`,
    serviceHost: `${prefix}.1`,
    addPod: async () => {
      last += 1;
      const pod = { ip: `${prefix}.${last}`, network: `${bridge}-${last}` };
      const link = `${bridge}v${last}`;
      await ip('netns', 'add', pod.network);
      pods.add(pod);
      await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.network);
      await ip('link', 'set', link, 'master', bridge, 'up');
      await ip('-n', pod.network, 'addr', 'add', `${pod.ip}/24`, 'dev', 'eth0');
      await ip('-n', pod.network, 'link', 'set', 'eth0', 'up');
      await ip('-n', pod.network, 'link', 'set', 'lo', 'up');
      return pod;
    },
    removePod,
    remove: async () => {
      for (const pod of pods) await removePod(pod);
      await ip('link', 'del', bridge);
    },
  };
}

async function addBridge(): Promise<{ third: number; bridge: string }> {
  for (let attempt = 0; ; attempt += 1) {
    const third = randomInt(0, 256);
    const bridge = `pc${third}`;
    const { code, stderr } = await runCommand('ip', ['link', 'add', bridge, 'type', 'bridge']);
    if (code === 0) return { third, bridge };
    if (attempt === 10) throw new Error(`no bridge can be made: ${stderr}`);
  }
}

async function ip(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runCommand('ip', args);
  if (code !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

import { startBalancer, type Balancer } from './balancer.ts';
import type { Identity } from './certificates.ts';
import type { Exit } from './child-process.ts';
import { freePorts } from './free-ports.ts';
import { portcullisConfig, writePortcullisFiles, type PortcullisFiles } from './portcullis-config.ts';
import { startPortcullis, type Portcullis } from './portcullis.ts';
import { waitUntil } from './wait-until.ts';

export interface ReplicasOptions {
  /** Certificate, policies, configurations, logs and data folders go here. */
  readonly directory: string;
  readonly count: number;
  /** The certificate of them all. */
  readonly identity: Identity;
  /**
   * Sections of the configuration of the replica with this name, besides or in place of those of `portcullisConfig`; `url` is the
   * origin of the balancer.
   */
  readonly sections?: (name: string, url: string) => Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Replica {
  /** `replica-1`, `replica-2`, …; a name is not used twice. */
  readonly name: string;
  readonly port: number;
  readonly server: Portcullis;
}

export interface Replicas {
  /** One policy folder and one certificate for all. */
  readonly files: PortcullisFiles;
  readonly balancer: Balancer;
  /** Origin of the balancer, for webhook configurations. */
  readonly url: string;
  /** Those that run, oldest first. */
  all(): readonly Replica[];
  /** Starts one more; it is in the balancer's rotation. */
  add(): Promise<Replica>;
  /** Ends one by SIGTERM, as a Deployment does: it drains while the balancer sees it go. */
  remove(replica: Replica): Promise<Exit>;
  /** Puts a new one in the place of each, one after the other; `afterEach` is called when the old one is gone. */
  roll(afterEach?: () => Promise<void>): Promise<readonly Exit[]>;
  /** Ends all and the balancer. */
  stop(): Promise<readonly Exit[]>;
}

/** Starts several servers behind a balancer, as a Service and a Deployment would. Each has a data folder of its own. */
export async function startReplicas(options: ReplicasOptions): Promise<Replicas> {
  const { directory, sections } = options;
  const files = await writePortcullisFiles(directory, options.identity);
  const balancer = await startBalancer();
  const url = `https://127.0.0.1:${balancer.port}`;
  let running: readonly Replica[] = [];
  let started = 0;

  const add = async (): Promise<Replica> => {
    started += 1;
    const name = `replica-${started}`;
    const [port = 0, managementPort = 0] = await freePorts(2);
    const config = portcullisConfig({
      files,
      port,
      managementPort,
      drainDelay: '1s',
      ...(sections === undefined ? {} : { sections: sections(name, url) }),
    });
    const server = await startPortcullis({
      directory,
      name,
      config,
      managementPort,
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    const replica = { name, port, server };
    running = [...running, replica];
    await balancer.add({ name, port, probe: () => server.isReady() });
    await waitUntil(() => balancer.rotation().includes(name), { what: `${name} to be in rotation` });
    return replica;
  };
  const remove = async (replica: Replica): Promise<Exit> => {
    const exit = await replica.server.stop();
    balancer.remove(replica.name);
    running = running.filter(({ name }) => name !== replica.name);
    return exit;
  };
  const stop = async (): Promise<readonly Exit[]> => {
    const exits = await Promise.all(running.map(remove));
    await balancer.close();
    return exits;
  };
  const outcomes = await Promise.allSettled(Array.from({ length: options.count }, add));
  const failed = outcomes.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') {
    await stop();
    throw failed.reason;
  }
  return {
    files,
    balancer,
    url,
    all: () => running,
    add,
    remove,
    roll: async (afterEach) => {
      const exits: Exit[] = [];
      for (const old of running) {
        await add();
        exits.push(await remove(old));
        await afterEach?.();
      }
      return exits;
    },
    stop,
  };
}

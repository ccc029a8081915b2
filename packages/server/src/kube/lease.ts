import { isFault, type Fault } from '../kernel/fault.ts';
import type { KubeClient } from './kube-client.ts';
import { pause, type KubeRuntime } from './kube-host.ts';
import { isRecord, type KubeObject } from './kube-object.ts';
import { LEASES, type KubeTarget } from './resource.ts';

export interface LeaderElectionOptions {
  readonly client: KubeClient;
  readonly runtime: KubeRuntime;
  readonly namespace: string;
  /** Of the Lease; made when it is missing. */
  readonly name: string;
  /** Of this replica: the name of the pod. Two replicas with one identity would both lead. */
  readonly identity: string;
  /** Called in turn with `onLost`, synchronously. */
  readonly onAcquired: () => void;
  /** Also when it is stopped while it leads. */
  readonly onLost: () => void;
  /** Milliseconds; defaults are those of client-go: 15 000, 10 000, 2000. */
  readonly leaseDuration?: number;
  readonly renewDeadline?: number;
  readonly retryPeriod?: number;
}

/** One of several replicas leads (client-go: tools/leaderelection). Works with clocks that differ: only durations are compared. */
export interface LeaderElection {
  /** Once. */
  start(): void;
  /** Gives the lease back, so that another replica leads at once. */
  stop(): Promise<void>;
  /** False as soon as the last renewal is older than the deadline, even before `onLost` is called. */
  leading(): boolean;
  /** Who holds the lease, as far as is known. */
  holder(): string | undefined;
  /** Why the last attempt failed. */
  problem(): Fault | undefined;
}

/** Spread of the pause between attempts, so that candidates do not come together. */
const JITTER = 1.2;

export function createLeaderElection(options: LeaderElectionOptions): LeaderElection {
  const { client, runtime, namespace, name, identity } = options;
  const { leaseDuration = 15_000, renewDeadline = 10_000, retryPeriod = 2000 } = options;
  const { clock } = runtime;
  if (!(leaseDuration > renewDeadline && renewDeadline > retryPeriod * JITTER)) {
    throw new TypeError(
      'a lease must last longer than the renew deadline, and that longer than the retry period',
    );
  }
  const target: KubeTarget = { resource: LEASES, namespace, name };
  const stopping = new AbortController();
  const { signal } = stopping;
  let observed: Observed | undefined;
  /** When the request of the last successful renewal was sent. */
  let renewed: number | undefined;
  let isTold = false;
  let problem: Fault | undefined;
  let running: Promise<void> | undefined;

  const isFresh = (): boolean => renewed !== undefined && clock.now() - renewed < renewDeadline;

  function tell(leads: boolean): void {
    if (leads === isTold) return;
    isTold = leads;
    runtime.log.log('info', leads ? 'this replica leads' : 'this replica no longer leads', { lease: name });
    (leads ? options.onAcquired : options.onLost)();
  }

  /** A lease counts as held for its whole duration from the moment when we first saw this state of it. */
  function observe(lease: KubeObject): Observed {
    const { resourceVersion, uid } = lease.metadata;
    const last = observed?.lease.metadata;
    if (observed === undefined || last?.resourceVersion !== resourceVersion || last?.uid !== uid) {
      observed = { lease, at: clock.now() };
    }
    return observed;
  }

  function isHeldByOther({ lease, at }: Observed): boolean {
    const holder = holderOf(lease);
    return holder !== undefined && holder !== identity && clock.now() - at < leaseDuration;
  }

  /** True when we hold the lease. */
  async function tryOnce(within: AbortSignal): Promise<boolean | Fault> {
    const began = clock.now();
    const found = await client.get(target, { signal: within });
    if (isFault(found)) {
      if (found.code !== 'PC_KUBE_NOT_FOUND') return found;
      const metadata = { name, namespace };
      const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: held(undefined) };
      return written(await client.create({ resource: LEASES, namespace }, body, { signal: within }), began);
    }
    if (isHeldByOther(observe(found))) return false;
    // The resource version in it makes the write fail when somebody was faster.
    return written(await client.update(target, { ...found, spec: held(found) }, { signal: within }), began);
  }

  function written(answer: KubeObject | Fault, began: number): true | Fault {
    if (isFault(answer)) return answer;
    observe(answer);
    renewed = began;
    return true;
  }

  function held(before: KubeObject | undefined): object {
    const spec = specOf(before);
    const now = microTime(clock.wall());
    const isOurs = before !== undefined && holderOf(before) === identity;
    const transitions = typeof spec['leaseTransitions'] === 'number' ? spec['leaseTransitions'] : 0;
    return {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDuration / 1000),
      renewTime: now,
      acquireTime: isOurs ? spec['acquireTime'] : now,
      leaseTransitions: before === undefined || isOurs ? transitions : transitions + 1,
    };
  }

  async function attempt(): Promise<void> {
    // A leader whose request hangs must know in time that it leads no more.
    const left = isTold && renewed !== undefined ? renewed + renewDeadline - clock.now() : renewDeadline;
    const limit = new AbortController();
    const cancel = runtime.after(Math.max(left, 1), () => limit.abort());
    const outcome = await tryOnce(AbortSignal.any([signal, limit.signal]));
    cancel();
    if (signal.aborted) return;
    problem = isFault(outcome) ? outcome : undefined;
    if (outcome === false) renewed = undefined;
    tell(isFresh());
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await attempt();
      const wait = retryPeriod * (isTold ? 1 : 1 + runtime.random() * JITTER);
      await pause(runtime, wait, signal);
    }
    const wasLeading = isFresh();
    renewed = undefined;
    tell(false);
    if (wasLeading) await release();
  }

  async function release(): Promise<void> {
    const lease = observed?.lease;
    if (lease === undefined || holderOf(lease) !== identity) return;
    const now = microTime(clock.wall());
    const spec = {
      ...specOf(lease),
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: now,
      acquireTime: now,
    };
    const answer = await client.update(target, { ...lease, spec }, { timeout: retryPeriod });
    if (isFault(answer)) problem = answer;
  }

  return {
    start() {
      if (running !== undefined) throw new TypeError('an election is started once');
      running = run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    leading: () => isTold && isFresh(),
    holder: () => (observed === undefined ? undefined : holderOf(observed.lease)),
    problem: () => problem,
  };
}

interface Observed {
  readonly lease: KubeObject;
  /** Monotonic. */
  readonly at: number;
}

function specOf(lease: KubeObject | undefined): Readonly<Record<string, unknown>> {
  const spec = lease?.['spec'];
  return isRecord(spec) ? spec : {};
}

/** An empty holder has given it back. */
function holderOf(lease: KubeObject): string | undefined {
  const holder = specOf(lease)['holderIdentity'];
  return typeof holder === 'string' && holder !== '' ? holder : undefined;
}

/** The API's MicroTime: six digits after the point. */
export function microTime(wall: number): string {
  return new Date(wall).toISOString().replace('Z', '000Z');
}

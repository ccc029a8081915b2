import { setTimeout as sleep } from 'node:timers/promises';
import { createPolicyLoader } from '../chain/policy-loader.ts';
import { Fault, isFault } from '../kernel/fault.ts';
import type { Logger } from '../kernel/ports.ts';
import { createToken } from '../manage/access/token-store.ts';
import type { TelemetryBatch } from '../telemetry/telemetry-batch.ts';
import { createWasmRuntime } from '../wasm/wasm-runtime.ts';
import { createClock } from './clock.ts';
import { compileAhead } from './compile-ahead.ts';
import type { Config } from './config/config.ts';
import { createControlPlane } from './control/control-plane.ts';
import { createPolicyControl, type PolicyControl } from './control/policy-control.ts';
import { ENGINES } from './engine-table.ts';
import type { ClusterDuties } from './kube/cluster-duties.ts';
import type { Cluster } from './kube/open-cluster.ts';
import { createManagementListener, type ManagementListener } from './http/management-listener.ts';
import { followCertificates, type Certificates } from './open-certificates.ts';
import { openFooting } from './open-footing.ts';
import { createProbe } from './probe.ts';
import type { Registries } from './open-sources.ts';
import { createApi, createServerLog, createServerTelemetry } from './observability.ts';
import { gateThreadData } from './threads/gate-thread-data.ts';
import { createThreadPool, type ThreadPool } from './threads/thread-pool.ts';
import type { TokenKeeper } from './tokens/token-keeper.ts';

export interface RunningServer {
  /** Origins: `https://127.0.0.1:8443`. */
  readonly addresses: { readonly gates: string; readonly management: string };
  /** Development only: the certificate to trust, and the token, which is shown nowhere else. */
  readonly development?: { readonly certFile: string; readonly token?: string };
  readonly log: Logger;
  /** Policies and certificates, now; modules are fetched anew. */
  reload(): Promise<void>;
  /** Becomes unready, goes on for a while, finishes what is under way and ends. Calls after the first wait for it. */
  drain(): Promise<void>;
}

/** Connections get this long to be ended by an answer of theirs before idle ones are closed. */
const LINGER = 2000;
const MANAGEMENT_CLOSE = 1000;
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './threads/gate-thread.ts' : './threads/gate-thread.js',
  import.meta.url,
);

/** The whole server; resolves when it is ready to be asked. */
export async function startServer(configured: Config): Promise<RunningServer | Fault> {
  compileAhead();
  const clock = createClock();
  const startedAt = clock.wall();
  const token = needsToken(configured) ? createToken() : undefined;
  const config = token === undefined ? configured : withToken(configured, token.sha256);
  const log = createServerLog(config, clock);

  const telemetry = createServerTelemetry(config, clock, log);
  const footing = await openFooting(config, clock, log, telemetry.registries);
  if (isFault(footing)) return footing;
  const { tokens, certificates, cluster, sources, capabilities } = footing;
  const { host, port, threads } = config.serving;

  let draining: Promise<void> | undefined;
  // The threads load their code while this one loads the policies.
  const pool = createThreadPool({
    entry: ENTRY,
    threadData: (material) => gateThreadData(config, material, cluster?.namespaces?.all()),
    threads,
    host,
    port,
    tls: certificates.serving?.material(),
    clock,
    log,
    report: (batch) => telemetry.absorb(batch as TelemetryBatch),
    capabilities,
  });
  const loader = createPolicyLoader({
    sources: [sources.files, sources.store, ...(cluster?.documents ?? [])],
    modules: sources.modules,
    engines: ENGINES,
    host: { runtime: createWasmRuntime({ clock }), clock, log },
    publish: (set) => pool.install(set),
  });
  let duties: ClusterDuties | undefined;
  const policies = createPolicyControl({
    loader,
    store: sources.store,
    watched: [sources.files, sources.registries, ...(cluster?.watched ?? [])],
    notes: (policy) => sources.registries.notes(policy),
    reloaded(report) {
      cluster?.sweep();
      sources.registries.sweep();
      duties?.reloaded(report);
    },
    inForce: (revision) => pool.inForce(revision),
    lastFaults: (policy) => telemetry.lastFaults(policy),
    clock,
    log,
  });
  const { registries } = sources;
  const parts: Parts = { config, pool, policies, certificates, tokens, cluster, registries };
  const plane = createControlPlane({
    ...parts,
    telemetry,
    clock,
    log,
    startedAt,
    duties: () => duties?.state(),
    reads: () => capabilities.states(),
    moduleCache: () => sources.cache.counts(),
    exceptions: () => loader.exceptions(clock.wall()),
    draining: () => draining !== undefined,
  });
  const api = createApi(config, { control: plane, tokens, clock, log });
  const management = createManagementListener({
    handler: (request, info) => api.fetch(request, info),
    ...(certificates.management === undefined ? {} : { tls: certificates.management.material() }),
    failed: (error) => log.log('debug', 'a management request broke off', { reason: String(error) }),
  });

  const probe = createProbe(config, () => plane.readiness(), log);
  const started = (await probe.listen()) ?? (await start(parts, management));
  if (isFault(started)) {
    await Promise.all([pool.close(0), probe.close(0)]);
    return started;
  }
  policies.watch();
  const kept = clusterWithDuties(config, cluster);
  if (kept !== undefined) {
    const { openClusterDuties } = await import('./kube/cluster-duties.ts');
    duties = await openClusterDuties({
      config,
      cluster: kept,
      loader,
      policies: () => loader.policies(),
      status: (name) => policies.view(name)?.status,
      serving: certificates.serving,
      isReady: () => plane.readiness().ready,
    });
    duties.start();
  }
  tokens.watch();
  followCertificates(certificates, {
    serving: (material) => pool.setTls(material),
    management: (material) => management.setTls(material),
  });
  log.log('info', 'ready', { ...started, threads: pool.state().alive, revision: policies.revision });

  async function end(): Promise<void> {
    log.log('info', 'stopping');
    await duties?.stop();
    await drainGates(parts);
    await capabilities.stop();
    await cluster?.stop();
    registries.close();
    await management.close(MANAGEMENT_CLOSE);
    await probe.close(MANAGEMENT_CLOSE);
    await telemetry.close();
    log.log('info', 'stopped');
  }

  return {
    addresses: started,
    ...developmentOf(config, certificates, token?.token.reveal()),
    log,
    reload: () =>
      reloadAll(parts).catch((error: unknown) => {
        log.log('error', 'a reload failed; what was in force stays', { reason: String(error) });
      }),
    drain: () => (draining ??= end()),
  };
}

function developmentOf(
  { development }: Config,
  { serving }: Certificates,
  token: string | undefined,
): Pick<RunningServer, 'development'> {
  if (!development || serving === undefined) return {};
  return { development: { certFile: serving.files.certFile, ...(token === undefined ? {} : { token }) } };
}

/** Who writes nothing to the cluster needs no lease. */
function clusterWithDuties({ kubernetes }: Config, cluster: Cluster | undefined): Cluster | undefined {
  return kubernetes.resources || kubernetes.registration.enabled ? cluster : undefined;
}

interface Parts {
  readonly config: Config;
  readonly pool: ThreadPool;
  readonly policies: PolicyControl;
  readonly certificates: Certificates;
  readonly cluster: Cluster | undefined;
  readonly tokens: TokenKeeper;
  readonly registries: Registries;
}

async function start(
  { config, pool, policies, certificates, cluster }: Parts,
  management: ManagementListener,
): Promise<RunningServer['addresses'] | Fault> {
  try {
    const { host, port } = config.management;
    // A policy that asks for the labels of a namespace has to find them.
    cluster?.namespaces?.watch((changes) => pool.setNamespaces(changes));
    cluster?.start();
    const loaded = Promise.resolve(cluster?.namespaces?.synced).then(() => policies.reload());
    const [managementPort] = await Promise.all([management.listen({ host, port }), loaded]);
    const gatesPort = await pool.listening;
    if (isFault(gatesPort)) return gatesPort;
    const scheme = certificates.management === undefined ? 'http' : 'https';
    return {
      gates: `${certificates.serving === undefined ? 'http' : 'https'}://${urlHost(config.serving.host)}:${gatesPort}`,
      management: `${scheme}://${urlHost(host)}:${managementPort}`,
    };
  } catch (error) {
    return Fault.from(error, 'PC_LISTEN');
  }
}

async function reloadAll({ policies, certificates, tokens, registries }: Parts): Promise<void> {
  await Promise.all([
    tokens.check(),
    certificates.serving?.check(),
    certificates.management?.check(),
    registries.refresh().then(() => policies.reload({ refresh: true })),
  ]);
}

/** Readiness is false already. Nothing that was accepted is dropped before `drainTimeout`. */
async function drainGates({ config, pool, policies, certificates, tokens }: Parts): Promise<void> {
  const { drainDelay, drainTimeout } = config.serving;
  policies.stop();
  tokens.stop();
  certificates.serving?.stop();
  certificates.management?.stop();
  await sleep(drainDelay);
  // A connection is ended by an answer where it can be: closing an idle one may cross with its next request.
  pool.endConnections();
  await sleep(Math.min(LINGER, drainDelay));
  await pool.close(drainTimeout);
}

function needsToken({ development, management }: Config): boolean {
  return development && management.tokens.length === 0 && management.tokensFile === undefined;
}

/** For this run only; the token itself is shown once and kept nowhere. */
function withToken(config: Config, sha256: string): Config {
  const tokens = [{ name: 'development', role: 'admin' as const, sha256 }];
  return { ...config, management: { ...config.management, tokens } };
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

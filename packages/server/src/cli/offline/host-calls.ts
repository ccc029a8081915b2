import { openCapabilities } from '../../app/capabilities/open-capabilities.ts';
import { createClock } from '../../app/clock.ts';
import { createHost } from '../../app/create-host.ts';
import { createCapabilities } from '../../capabilities/create-capabilities.ts';
import { createCertificateCheck } from '../../capabilities/crypto/is-certificate-trusted.ts';
import type { HostCapabilities } from '../../engines/host-capabilities.ts';
import {
  recordCapabilities,
  replayCapabilities,
  type RecordedCall,
} from '../../engines/recorded-capabilities.ts';
import { isFault, type Fault } from '../../kernel/fault.ts';
import type { Logger } from '../../kernel/ports.ts';
import { openRegistry } from '../policy/registry-access.ts';
import { openKubernetes } from './kubernetes-access.ts';
import { readRecordedCalls, writeRecordedCalls } from './recorded-calls.ts';

/** What policies ask of the host when there is no server. */
export interface HostCalls {
  readonly capabilities: HostCapabilities;
  /** Calls that a recording does not have: the verdicts that came of them are worth nothing. */
  readonly missing: readonly Fault[];
  /** Writes what is to be written. */
  close(): Promise<Fault | undefined>;
}

export interface HostCallOptions {
  /** File of calls that are answered as they were before. */
  readonly replay?: string | undefined;
  /** File that calls are written to; they reach the real registries and the real cluster. */
  readonly record?: string | undefined;
  /** Of the cluster that is asked while recording. */
  readonly kubeconfig?: string | undefined;
}

const MAX_CACHE_BYTES = 256 * 1024 ** 2;
const OCI_TTL = 60_000;

export async function openHostCalls(options: HostCallOptions, log: Logger): Promise<HostCalls | Fault> {
  const { replay, record } = options;
  if (record !== undefined) return recordTo(record, options, log);
  if (replay === undefined) return computedCalls(log);
  const recorded = await readRecordedCalls(replay);
  return isFault(recorded) ? recorded : replayCalls(recorded);
}

export function replayCalls(recorded: readonly RecordedCall[]): HostCalls {
  const missing: Fault[] = [];
  const note = (fault: Fault): void => {
    if (missing.every(({ message }) => message !== fault.message)) missing.push(fault);
  };
  return { capabilities: replayCapabilities(recorded, note), missing, close: async () => undefined };
}

/** Offline only what can be computed is answered. */
export function computedCalls(log: Logger): HostCalls {
  const clock = createClock();
  const providers = { 'crypto/v1/is_certificate_trusted': createCertificateCheck(clock) };
  return {
    capabilities: createCapabilities(providers, createHost(clock, log)),
    missing: [],
    close: async () => undefined,
  };
}

async function recordTo(
  path: string,
  { kubeconfig }: HostCallOptions,
  log: Logger,
): Promise<HostCalls | Fault> {
  const oci = await openRegistry({});
  if (isFault(oci)) return oci;
  const kube = await openKubernetes({ kubeconfig }, log);
  // Without a word about a cluster there need not be one.
  if (isFault(kube) && kubeconfig !== undefined) return kube;
  const inner = openCapabilities({
    config: { maxCacheBytes: MAX_CACHE_BYTES, ociTtl: OCI_TTL, allowPrivate: true },
    host: createHost(createClock(), log),
    oci,
    kube: isFault(kube) ? undefined : kube,
  });
  const calls: RecordedCall[] = [];
  return {
    capabilities: recordCapabilities(inner, (call) => calls.push(call)),
    missing: [],
    async close() {
      await inner.stop();
      oci.close();
      if (!isFault(kube)) kube.close();
      return writeRecordedCalls(path, calls);
    },
  };
}

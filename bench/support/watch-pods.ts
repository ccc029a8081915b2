import { readFileSync } from 'node:fs';
import { createHost } from '../../packages/server/src/app/create-host.ts';
import { createClock } from '../../packages/server/src/app/clock.ts';
import { Secret } from '../../packages/server/src/kernel/secret.ts';
import { createKubeConnection } from '../../packages/server/src/kube/connection/create-kube-connection.ts';
import { createKubeClient } from '../../packages/server/src/kube/create-kube-client.ts';
import type { KubeObject } from '../../packages/server/src/kube/kube-object.ts';
import { createReflector } from '../../packages/server/src/kube/reflector/create-reflector.ts';
import { residentBytes } from '../../e2e/support/process-usage.ts';

/** What is printed as JSON when all pods are known: `URL CA INITIAL`. */
export interface PodsWatched {
  readonly pods: number;
  /** Bytes after things have settled, and the most there ever were. */
  readonly resident: number;
  readonly peak: number;
  /** Seconds of processor time, the start of the process left out. */
  readonly processor: number;
}

interface PodSummary {
  readonly labels: Readonly<Record<string, string>>;
  readonly node: string;
  readonly images: readonly string[];
}

function summary({ metadata, spec }: KubeObject): PodSummary {
  const { nodeName, containers } = spec as {
    nodeName: string;
    containers: readonly { readonly image: string }[];
  };
  return { labels: metadata.labels ?? {}, node: nodeName, images: containers.map(({ image }) => image) };
}

const [url = '', caFile = '', initial = ''] = process.argv.slice(2);
const host = createHost(createClock(), { enabled: () => false, log: () => undefined });
const ca = { text: new Secret(readFileSync(caFile, 'utf8')) };
const connection = createKubeConnection(
  { server: url, insecure: false, ca, namespace: 'default', user: {} },
  host,
);
const client = createKubeClient({ connection, runtime: host, userAgent: 'portcullis/bench' });
const started = process.cpuUsage();
const reflector = createReflector({
  client,
  runtime: host,
  resource: { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true },
  project: summary,
  initial: initial === 'list' ? 'list' : 'watch-list',
});
reflector.start();
await reflector.synced;
const { user, system } = process.cpuUsage(started);
// The collector gives memory back some time after it has become free.
await new Promise((resolve) => void setTimeout(resolve, 3000));
const result: PodsWatched = {
  pods: reflector.state().items,
  resident: residentBytes(process.pid),
  peak: process.resourceUsage().maxRSS * 1024,
  processor: (user + system) / 1e6,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
await reflector.stop();
client.close();

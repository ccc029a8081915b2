import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { judged, percent, perSecond, times, type Figure } from '../figure.ts';
import { podReview } from '../pod-review.ts';
import type { RunningServer } from '../support/running-server.ts';
import { inTurns, median } from '../support/statistics.ts';
import type { Workbench } from '../support/workbench.ts';

const ROOT = join(import.meta.dirname, '../..');
const SCRIPT = join(import.meta.dirname, '../support/evaluate-kubewarden.ts');
const PATTERNS = 'policies/image-patterns-wapc/image-patterns-wapc.wasm';
const OFFICIAL = 'packages/server/test/engines/kubewarden/official-sdk.wasm';
const ROUNDS = 3;

interface Sample {
  /** Microseconds. */
  readonly p50: number;
  readonly cost: number;
}

interface Candidate {
  readonly name: string;
  readonly module: string;
  readonly settings: object;
  readonly atLeast: number;
}

/** Patterns for the images of the pod review. */
const FEW = ['registry.k8s.io/**', 'docker.io/library/**', 'registry.example.test/**'];
/** Thirty teams, each with images of its own in any registry. */
const MANY = Array.from({ length: 30 }, (_, team) => `**/team-${team * 7919}:v*`);

const CANDIDATES: readonly Candidate[] = [
  { name: 'AssemblyScript, three patterns', module: PATTERNS, settings: { allowed: FEW }, atLeast: 4 },
  { name: "Rust, Kubewarden's SDK", module: OFFICIAL, settings: { denied: ['nobody'] }, atLeast: 4 },
  {
    name: 'patterns compiled in the first call',
    module: PATTERNS,
    settings: { allowed: [...FEW, ...MANY] },
    atLeast: 100,
  },
];

/**
 * Instances that are reset to the state after their first call, beside one for each review. By processor time, resets and the
 * garbage of old instances included.
 */
export async function kubewarden(bench: Workbench): Promise<Figure[]> {
  const figures: Figure[] = [await throughHttps(bench)];
  for (const { name, module, settings, atLeast } of CANDIDATES) {
    const [reset = [], fresh = []] = await inTurns(
      ROUNDS,
      ['reset', 'fresh'].map((way) => () => sample(module, settings, way)),
    );
    const p50 = (of: readonly Sample[]): number => median(of.map((one) => one.p50));
    const cost = (of: readonly Sample[]): number => median(of.map((one) => one.cost));
    const shown = (of: readonly Sample[]): string => `${p50(of).toFixed(0)} µs (${cost(of).toFixed(0)} µs)`;
    const detail = `median (processor time): reset ${shown(reset)}, fresh ${shown(fresh)}`;
    figures.push(
      judged(
        `waPC, fresh instances against reset ones: ${name}`,
        { value: cost(fresh) / cost(reset), show: times, detail },
        { atLeast },
      ),
    );
  }
  return figures;
}

const ROUND_MS = 2000;
const CONNECTIONS = 8;

/** One waPC policy behind one gate thread, beside a server that answers without looking, on the same core. */
async function throughHttps(bench: Workbench): Promise<Figure> {
  const load = bench.loadGenerator('load');
  const policy = {
    apiVersion: 'portcullis.dev/v1',
    kind: 'Policy',
    metadata: { name: 'image-patterns' },
    spec: { engine: 'kubewarden', module: { file: join(ROOT, PATTERNS) }, settings: { allowed: FEW } },
  };
  const servers = [
    await bench.portcullis({ threads: 1, policies: [policy], core: 'server' }),
    await bench.peer('bare-server'),
  ] as const;
  const body = podReview().toString();
  const drive = async ({ port }: RunningServer): Promise<number> => {
    const options = { port, body, connections: CONNECTIONS, duration: ROUND_MS, allowed: true };
    return (await load.run(options)).perSecond;
  };
  // Once for each, so that the optimising compiler has seen everything.
  for (const server of servers) await drive(server);
  const [ours = [], bare = []] = await inTurns(
    ROUNDS,
    servers.map((server) => () => drive(server)),
  );
  const share = median(ours.map((value, round) => value / (bare[round] ?? Number.NaN)));
  const detail = `${perSecond(median(ours))} of ${perSecond(median(bare))}`;
  return judged(
    'HTTPS, one waPC policy: share of a bare server without policy',
    { value: share, show: percent, detail },
    { atLeast: 0.2 },
  );
}

async function sample(module: string, settings: object, way: string): Promise<Sample> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    SCRIPT,
    join(ROOT, module),
    JSON.stringify(settings),
    way,
  ]);
  return JSON.parse(stdout) as Sample;
}

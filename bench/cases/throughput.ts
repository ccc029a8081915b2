import { judged, percent, perSecond, type Figure } from '../figure.ts';
import { podReview } from '../pod-review.ts';
import { MODULE_PATH, registryPolicy, SETTINGS } from '../support/policies.ts';
import { processorSeconds } from '../../e2e/support/process-usage.ts';
import type { RunningServer } from '../support/running-server.ts';
import { inTurns, median } from '../support/statistics.ts';
import type { Workbench } from '../support/workbench.ts';

const ROUNDS = 5;
const CONNECTIONS = 8;
const ROUND_MS = 3000;

interface Sample {
  readonly perSecond: number;
  /** Microseconds of processor time per request, all threads of the server. */
  readonly cost: number;
}

/** One gate thread with everything on, beside servers that do less; all of them on the same core, the load on the other. */
export async function throughput(bench: Workbench): Promise<Figure[]> {
  const load = bench.loadGenerator('load');
  const body = podReview().toString();
  const servers = [
    await bench.portcullis({ threads: 1, policies: [registryPolicy()], core: 'server' }),
    await bench.peer('least-server', [MODULE_PATH, JSON.stringify(SETTINGS)]),
    await bench.peer('bare-server'),
  ] as const;

  const drive = async (server: RunningServer, duration: number): Promise<Sample> => {
    const before = processorSeconds(server.pid);
    const { port } = server;
    const result = await load.run({
      port,
      body,
      connections: CONNECTIONS,
      duration,

      allowed: true,
    });
    const seconds = processorSeconds(server.pid) - before;
    return { perSecond: result.perSecond, cost: (seconds * 1e6) / result.requests };
  };
  // Once for each, so that the optimising compiler has seen everything.
  for (const server of servers) await drive(server, ROUND_MS);
  const [ours, least, bare] = (await inTurns(
    ROUNDS,
    servers.map((server) => () => drive(server, ROUND_MS)),
  )) as [Sample[], Sample[], Sample[]];

  const share = (of: readonly Sample[]): number =>
    median(ours.map((sample, round) => sample.perSecond / (of[round]?.perSecond ?? Number.NaN)));
  const cost = (of: readonly Sample[]): number => median(of.map((sample) => sample.cost));
  const detail = (of: readonly Sample[]): string =>
    `${perSecond(median(ours.map((sample) => sample.perSecond)))} of ${perSecond(median(of.map((sample) => sample.perSecond)))}; ` +
    `processor time ${cost(ours).toFixed(0)} µs, theirs ${cost(of).toFixed(0)} µs`;
  return [
    judged(
      'HTTPS, one Wasm policy: share of the least possible server',
      { value: share(least), show: percent, detail: detail(least) },
      { atLeast: 0.7 },
    ),
    {
      name: 'the same: share of a bare server without policy',
      figure: percent(share(bare)),
      detail: detail(bare),
    },
  ];
}

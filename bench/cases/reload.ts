import { setTimeout as sleep } from 'node:timers/promises';
import { judged, millis, times, type Figure } from '../figure.ts';
import { podReview } from '../pod-review.ts';
import { registryPolicy } from '../support/policies.ts';
import type { PortcullisServer } from '../support/portcullis-server.ts';
import { inTurns, median } from '../support/statistics.ts';
import type { Workbench } from '../support/workbench.ts';

const POLICIES = 100;
const ROUNDS = 4;
const ROUND_MS = 5000;
const LOAD = { connections: 8, rate: 400, duration: ROUND_MS, allowed: true };

/** Decisions while all of 100 policies change every second, against decisions while nothing changes. */
export async function reload(bench: Workbench): Promise<Figure[]> {
  const load = bench.loadGenerator();
  const body = podReview().toString();
  const server = await bench.portcullis({ threads: 2, policies: generation(0) });
  const quiet = async (): Promise<number> => (await load.run({ port: server.port, body, ...LOAD })).p99;
  let reloads = 0;
  const reloading = async (): Promise<number> => {
    const stop = new AbortController();
    const before = await revision(server);
    const writing = rewrite(server, stop.signal);
    const p99 = await quiet();
    stop.abort();
    await writing;
    reloads += (await revision(server)) - before;
    return p99;
  };
  await inTurns(1, [quiet, reloading]);
  reloads = 0;
  const [still = [], busy = []] = await inTurns(ROUNDS, [quiet, reloading]);
  const due = (ROUNDS * ROUND_MS) / 1000;
  if (reloads < due / 2) throw new Error(`the server took only ${reloads} of about ${due} reloads`);
  const value = median(busy.map((p99, round) => p99 / (still[round] ?? Number.NaN)));
  const detail = `${millis(median(busy))} against ${millis(median(still))}; ${reloads} reloads in ${due} s`;
  return [
    judged(
      'p99 of decisions while 100 policies reload every second, against none',
      { value, show: times, detail },
      { below: 1.5 },
    ),
  ];
}

/** One policy that is asked and 99 of other namespaces; the generation is part of every policy's settings. */
function generation(number: number): object[] {
  return Array.from({ length: POLICIES }, (_, index) =>
    registryPolicy({
      name: `registry-${index}`,
      namespaces: index === 0 ? ['*'] : [`other-${index}`],
      registries: [`generation-${number}.example.test`],
    }),
  );
}

async function rewrite(server: PortcullisServer, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    server.write(generation(Date.now()));
    await sleep(1000, undefined, { signal: stop }).catch(() => undefined);
  }
}

/** The number of the policy set in force, as the metrics tell it. */
async function revision(server: PortcullisServer): Promise<number> {
  const value = /^\w*policy_set_revision\w*(?:\{[^}]*\})? (\d+)/m.exec(await server.metrics())?.[1];
  if (value === undefined) throw new Error('the metrics hold no policy set revision');
  return Number(value);
}

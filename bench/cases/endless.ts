import { setTimeout as sleep } from 'node:timers/promises';
import { judged, millis, type Figure } from '../figure.ts';
import { podReview } from '../pod-review.ts';
import { endlessPolicy, registryPolicy } from '../support/policies.ts';
import { inTurns, median } from '../support/statistics.ts';
import type { Workbench } from '../support/workbench.ts';

const ROUNDS = 3;
const ROUND_MS = 4000;
/** Time until the endless ones are all under way. */
const LEAD_MS = 1500;
const LOAD = { connections: 4, rate: 100, duration: ROUND_MS, allowed: true };
/** Limit of the endless policy. */
const ENDLESS_MS = 1000;
const ENDLESS_NAMESPACE = 'endless';

/** One gate thread: reviews of a sound policy while another one loops all the time, once at a time and a hundred times at once. */
export async function endless(bench: Workbench): Promise<Figure[]> {
  const load = bench.loadGenerator();
  const background = bench.loadGenerator();
  const body = podReview().toString();
  const stuck = body.replaceAll('"namespace":"shop"', `"namespace":"${ENDLESS_NAMESPACE}"`);
  const server = await bench.portcullis({
    threads: 1,
    policies: [
      registryPolicy({ namespaces: ['shop'] }),
      await endlessPolicy({ name: 'endless', namespaces: [ENDLESS_NAMESPACE] }),
    ],
  });
  const { port } = server;
  const quiet = async (): Promise<number> => (await load.run({ port, body, ...LOAD })).p99;
  const beside = (connections: number) => async (): Promise<number> => {
    const loops = background.run({
      port,
      body: stuck,
      connections,
      duration: LEAD_MS + ROUND_MS,
      allowed: false,
    });
    // A failure of the background must not be an unhandled rejection while the measured load is still awaited.
    loops.catch(() => undefined);
    await sleep(LEAD_MS);
    const p99 = await quiet();
    // Each has a second; sooner means that it was refused and did not loop.
    const { p50: lasted } = await loops;
    if (lasted < ENDLESS_MS / 2) throw new Error(`endless evaluations ended after ${millis(lasted)}`);
    return p99;
  };
  await quiet();
  const [none = [], one = [], hundred = []] = await inTurns(ROUNDS, [quiet, beside(1), beside(100)]);
  const more = (of: readonly number[]): { value: number; show: typeof millis; detail: string } => ({
    value: median(of.map((p99, round) => p99 - (none[round] ?? Number.NaN))),
    show: millis,
    detail: `${millis(median(of))} against ${millis(median(none))}`,
  });
  return [
    judged('added p99 of other reviews: one endless policy, all the time', more(one), { atMost: 20 }),
    judged('added p99 of other reviews: a hundred endless evaluations at once', more(hundred), {
      atMost: 200,
    }),
  ];
}

import { setTimeout as sleep } from 'node:timers/promises';
import { judged, millis, type Figure } from '../figure.ts';
import { podReview } from '../pod-review.ts';
import { ENDLESS_MODULES, type EndlessEngine } from '../support/endless-modules.ts';
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
/** Each review of this namespace is stuck in one policy of every dialect. */
const EVERY_NAMESPACE = 'endless-every';
const EVERY = Object.keys(ENDLESS_MODULES) as readonly EndlessEngine[];

/** One gate thread: reviews of a sound policy while another one loops all the time, once at a time, in every dialect, and a hundred times at once. */
export async function endless(bench: Workbench): Promise<Figure[]> {
  const load = bench.loadGenerator();
  const background = bench.loadGenerator();
  const body = podReview().toString();
  const of = (namespace: string): string =>
    body.replaceAll('"namespace":"shop"', `"namespace":"${namespace}"`);
  const server = await bench.portcullis({
    threads: 1,
    policies: [
      registryPolicy({ namespaces: ['shop'] }),
      endlessPolicy({ name: 'endless', namespaces: [ENDLESS_NAMESPACE] }),
      ...EVERY.map((engine) =>
        endlessPolicy({ name: `endless-${engine}`, engine, namespaces: [EVERY_NAMESPACE] }),
      ),
    ],
  });
  const { port } = server;
  const quiet = async (): Promise<number> => (await load.run({ port, body, ...LOAD })).p99;
  const beside = (connections: number, namespace: string) => async (): Promise<number> => {
    const loops = background.run({
      port,
      body: of(namespace),
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
  const [none = [], one = [], every = [], hundred = []] = await inTurns(ROUNDS, [
    quiet,
    beside(1, ENDLESS_NAMESPACE),
    beside(1, EVERY_NAMESPACE),
    beside(100, ENDLESS_NAMESPACE),
  ]);
  const more = (p99s: readonly number[]): { value: number; show: typeof millis; detail: string } => ({
    value: median(p99s.map((p99, round) => p99 - (none[round] ?? Number.NaN))),
    show: millis,
    detail: `${millis(median(p99s))} against ${millis(median(none))}`,
  });
  return [
    judged('added p99 of other reviews: one endless policy, all the time', more(one), { atMost: 20 }),
    judged(
      `added p99 of other reviews: an endless policy of each dialect (${EVERY.join(', ')}), all the time`,
      more(every),
      { atMost: 50 },
    ),
    judged('added p99 of other reviews: a hundred endless evaluations at once', more(hundred), {
      atMost: 200,
    }),
  ];
}

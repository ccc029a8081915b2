import { judged, perSecond, times, type Figure } from '../figure.ts';
import { podReview } from '../pod-review.ts';
import { registryPolicy } from '../support/policies.ts';
import { inTurns, median } from '../support/statistics.ts';
import type { Workbench } from '../support/workbench.ts';

const ROUNDS = 5;
/** Enough that the kernel's spreading by hash comes out nearly even. */
const CONNECTIONS = 64;
const ROUND_MS = 3000;

/** Two gate threads against one; nothing is pinned, the load generator shares the cores. */
export async function threads(bench: Workbench): Promise<Figure[]> {
  const load = bench.loadGenerator();
  const body = podReview().toString();
  const servers = [
    await bench.portcullis({ threads: 1, policies: [registryPolicy()] }),
    await bench.portcullis({ threads: 2, policies: [registryPolicy()] }),
  ];
  const runs = servers.map(({ port }) => async () => {
    const result = await load.run({
      port,
      body,
      connections: CONNECTIONS,
      duration: ROUND_MS,
      allowed: true,
    });
    return result.perSecond;
  });
  await inTurns(1, runs);
  const [one = [], two = []] = await inTurns(ROUNDS, runs);
  const value = median(two.map((rate, round) => rate / (one[round] ?? Number.NaN)));
  const detail = `${perSecond(median(two))} against ${perSecond(median(one))}`;
  return [
    judged(
      'two gate threads against one, load on the same cores',
      { value, show: times, detail },
      { atLeast: 1.4 },
    ),
  ];
}

import { setTimeout as sleep } from 'node:timers/promises';
import { judged, mebibytes, millis, type Figure } from '../figure.ts';
import type { PortcullisServer } from '../support/portcullis-server.ts';
import { openReviewClient, type ReviewClient } from '../support/review-client.ts';
import { median } from '../support/statistics.ts';
import { residentWhenAsked, teamPolicy, teamReview } from '../support/team-policies.ts';
import type { Workbench } from '../support/workbench.ts';

const POLICIES = 5000;
const CHANGES = 7;
/** So many connections that none of two gate threads is without one. */
const CONNECTIONS = 8;
const PATIENCE_MS = 60_000;

/** What thousands of policies cost: each for a namespace of its own, all of one module. */
export async function scale(bench: Workbench): Promise<Figure[]> {
  const policies = Array.from({ length: POLICIES }, (_, index) => teamPolicy(index));
  const server = await bench.portcullis({ threads: 2, policies });
  const client = await openReviewClient(server.port, CONNECTIONS);
  const resident = await residentWhenAsked(server.pid, client, POLICIES);
  const changes = [];
  for (let change = 0; change < CHANGES; change++) changes.push(await enforced(server, client, change));
  client.close();
  await bench.tidy();
  return [
    judged(
      `ready with ${POLICIES} policies`,
      { value: server.readyAfter / 1000, show: (value) => `${value.toFixed(1)} s` },
      { below: 20 },
    ),
    judged(
      `resident memory with ${POLICIES} policies, two gate threads`,
      { value: resident, show: mebibytes, detail: 'each policy was asked in each thread' },
      { below: 700 * 1024 ** 2 },
    ),
    judged(
      `one change among ${POLICIES} policies, until it decides`,
      { value: median(changes), show: millis, detail: changes.map(millis).join(', ') },
      { below: 1000 },
    ),
  ];
}

/** Milliseconds from the write of one policy that denies until every connection says so. */
async function enforced(server: PortcullisServer, client: ReviewClient, change: number): Promise<number> {
  const index = Math.floor(((change + 0.5) * POLICIES) / CHANGES);
  const started = performance.now();
  server.writeOne(index, teamPolicy(index, true));
  while ((await client.ask(teamReview(index))).includes(true)) {
    if (performance.now() - started > PATIENCE_MS) throw new Error('the change does not come in force');
    await sleep(5);
  }
  return performance.now() - started;
}

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { judged, mebibytes, millis, type Figure } from '../figure.ts';
import { podReview } from '../pod-review.ts';
import { mixedPolicies } from '../support/mixed-policies.ts';
import { registryPolicy } from '../support/policies.ts';
import { processorSeconds, residentBytes } from '../../e2e/support/process-usage.ts';
import { openReviewClient } from '../support/review-client.ts';
import { median } from '../support/statistics.ts';
import type { Workbench } from '../support/workbench.ts';

const STARTS = 5;
const READY_POLICIES = 20;
const FURTHER = 100;
const MIXED = 50;
const ROUNDS = 5;
const IN_FLIGHT = 8;
const LOAD_PLUGIN = join(import.meta.dirname, '../support/load-plugin.ts');

/** What a server costs before and beside its work. */
export async function footprint(bench: Workbench): Promise<Figure[]> {
  return [
    loadTime(),
    await inFlight(bench),
    await memoryPerPolicy(bench),
    await readyTime(bench),
    ...(await mixed(bench)),
  ];
}

/** A process for each sample: what is compiled once in a process stays compiled. */
function loadTime(): Figure {
  const samples = Array.from({ length: STARTS }, () =>
    Number(execFileSync(process.execPath, [LOAD_PLUGIN], { encoding: 'utf8' })),
  );
  return judged(
    'load of the example plugin: compile, check, first instance',
    { value: median(samples), show: millis },
    { below: 100 },
  );
}

async function inFlight(bench: Workbench): Promise<Figure> {
  const load = bench.loadGenerator();
  const server = await bench.portcullis({ threads: 1, policies: [registryPolicy()] });
  const order = { port: server.port, body: podReview().toString(), connections: IN_FLIGHT, allowed: true };
  await load.run({ ...order, duration: 3000 });
  const results = [];
  for (let round = 0; round < STARTS; round++) results.push(await load.run({ ...order, duration: 2000 }));
  await bench.tidy();
  const value = median(results.map(({ p99 }) => p99));
  const detail = `p50 ${millis(median(results.map(({ p50 }) => p50)))}; whole request over HTTPS`;
  return judged(
    `p99 with ${IN_FLIGHT} reviews in flight, one gate thread`,
    { value, show: millis, detail },
    { below: 5 },
  );
}

async function memoryPerPolicy(bench: Workbench): Promise<Figure> {
  const load = bench.loadGenerator();
  const resident = async (count: number): Promise<number> => {
    const policies = Array.from({ length: count }, (_, index) =>
      registryPolicy({ name: `registry-${index}` }),
    );
    const server = await bench.portcullis({ threads: 1, policies });
    // Every policy is asked, so that none is without its instance; as many evaluations in both servers.
    const order = { port: server.port, body: podReview().toString(), connections: 1, allowed: true };
    await load.run({ ...order, duration: 3000, rate: 20 });
    const bytes = residentBytes(server.pid);
    await server.stop();
    return bytes;
  };
  const [few, many] = [await resident(1), await resident(1 + FURTHER)];
  await bench.tidy();
  const detail = `${mebibytes(few)} with one, ${mebibytes(many)} with ${1 + FURTHER}`;
  return judged(
    'resident memory per further policy of the same module',
    { value: (many - few) / FURTHER, show: mebibytes, detail },
    { below: 1024 ** 2 },
  );
}

async function readyTime(bench: Workbench): Promise<Figure> {
  const policies = Array.from({ length: READY_POLICIES }, (_, index) =>
    registryPolicy({ name: `registry-${index}` }),
  );
  const samples = [];
  for (let round = 0; round < STARTS; round++) {
    const server = await bench.portcullis({ threads: 2, policies });
    samples.push(server.readyAfter);
    await bench.tidy();
  }
  const detail = `from the start of the process to 200 of /readyz; ${samples.map(millis).join(', ')}`;
  return judged(
    `ready with ${READY_POLICIES} policies`,
    { value: median(samples), show: millis, detail },
    { below: 1000 },
  );
}

/** Policies of every dialect over ten modules; those for admission are asked, one review after the other. */
async function mixed(bench: Workbench): Promise<Figure[]> {
  const policies = mixedPolicies(MIXED, bench.directory);
  const server = await bench.portcullis({ threads: 1, policies });
  const start = processorSeconds(server.pid);
  const loaded = residentBytes(server.pid);
  const client = await openReviewClient(server.port, 1);
  for (let round = 0; round < ROUNDS; round++) {
    const allowed = await client.ask(podReview().toString());
    if (allowed.includes(false)) throw new Error('the review was denied');
  }
  const asked = residentBytes(server.pid);
  client.close();
  await bench.tidy();
  const name = `${MIXED} policies over 10 modules of every dialect, one gate thread`;
  return [
    judged(
      `resident memory with ${name}`,
      { value: asked, show: mebibytes, detail: `${mebibytes(loaded)} before the first review` },
      { below: 250 * 1024 ** 2 },
    ),
    judged(
      `ready with ${name}`,
      {
        value: server.readyAfter,
        show: millis,
        detail: `${millis(start * 1000)} of processor time, on both cores`,
      },
      { below: 2000 },
    ),
  ];
}

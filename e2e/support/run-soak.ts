import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentBytes } from './process-usage.ts';
import { startChangeLanes, type ChangeLanes } from './change-lanes.ts';
import { untilSettled } from './cluster-state.ts';
import { startCluster } from './cluster.ts';
import { GUARDED, postGuard, startApiLoad, startReviewLoad } from './guarded-load.ts';
import type { Replica } from './replicas.ts';
import { createSeededRandom } from './seeded-random.ts';
import { SOAK_FAULTS, type Stage } from './soak-faults.ts';
import type { SoakReport } from './soak-report.ts';
import { createWorkDirectory } from './work-directory.ts';

export interface SoakOptions {
  /** Of load and faults; start, end and measurements come on top. One round of all faults happens in any case. */
  readonly minutes: number;
  /** Decides which faults come when. */
  readonly seed: number;
  /** Told what is done. */
  readonly log: (line: string) => void;
}

const REPLICAS = 3;
/** The others are replaced and killed. */
const KEPT = 2;
const LANES = 6;
/** Milliseconds. After many failures a replica waits up to 30 s for its next attempt, and attempts fail again. */
const PATIENCE = 180_000;
const REST = { least: 500, more: 2500 };
const SAMPLES = 5;
const PRELOADED = ['shifted-clock.ts', 'collected-memory.ts'].map((name) => join(import.meta.dirname, name));

/** Three replicas on a real API server, under load, with one fault after the other. */
export async function runSoak({ minutes, seed, log }: SoakOptions): Promise<SoakReport> {
  const directory = await createWorkDirectory('soak-extra');
  const clockFile = join(directory, 'clock-shift');
  const collectFile = join(directory, 'collect');
  const random = createSeededRandom(seed);
  const cluster = await startCluster({
    name: 'soak',
    replicas: REPLICAS,
    namespaces: [GUARDED],
    env: {
      NODE_OPTIONS: PRELOADED.map((path) => `--import=${path}`).join(' '),
      E2E_CLOCK_SHIFT: clockFile,
      E2E_COLLECT: collectFile,
    },
  });
  const ends: (() => Promise<unknown>)[] = [() => cluster.stop()];
  try {
    await postGuard(cluster);
    const apiLoad = startApiLoad(cluster);
    const reviewLoad = startReviewLoad(cluster);
    ends.unshift(
      () => apiLoad.stop(),
      () => reviewLoad.stop(),
    );
    const stage: Stage = { cluster, apiLoad, reviewLoad, kept: KEPT, clockFile, random };
    const kept = cluster.replicas.all().slice(0, KEPT);
    const faults = Object.fromEntries(Object.keys(SOAK_FAULTS).map((name) => [name, 0]));
    let lanes: ChangeLanes | undefined;

    const inject = async (name: string): Promise<void> => {
      log(name);
      await SOAK_FAULTS[name]?.(stage);
      faults[name] = (faults[name] ?? 0) + 1;
      await sleep(REST.least + random() * REST.more);
    };
    const startLanes = async (round: number): Promise<void> => {
      lanes = await startChangeLanes({ cluster, seed: seed + round, lanes: LANES, patience: PATIENCE });
    };
    /** Changes come to an end, so that all replicas hold the same, and as much as the last time. */
    const measure = async (): Promise<readonly number[]> => {
      log('memory is measured');
      const { delays, lost } = (await lanes?.stop()) ?? { delays: [], lost: [] };
      changes.delays.push(...delays);
      changes.lost.push(...lost);
      await untilSettled(cluster, PATIENCE);
      return residentOf(kept, collectFile);
    };
    const changes: { delays: number[]; lost: string[] } = { delays: [], lost: [] };

    const began = performance.now();
    await startLanes(1);
    for (const name of shuffled(Object.keys(SOAK_FAULTS), random)) await inject(name);
    const early = await measure();
    await startLanes(2);
    const names = Object.keys(SOAK_FAULTS);
    while (performance.now() - began < minutes * 60_000)
      await inject(names[Math.floor(random() * names.length)] ?? '');
    const late = await measure();
    return {
      seed,
      minutes: (performance.now() - began) / 60_000,
      faults,
      api: await apiLoad.stop(),
      reviews: await reviewLoad.stop(),
      changes,
      memory: kept.map(({ name }, index) => ({
        replica: name,
        early: early[index] ?? 0,
        late: late[index] ?? 0,
      })),
    };
  } finally {
    for (const end of ends) await end();
  }
}

function shuffled<T>(values: readonly T[], random: () => number): readonly T[] {
  return values
    .map((value) => ({ value, rank: random() }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ value }) => value);
}

/** The least of some samples after the garbage was collected. */
async function residentOf(replicas: readonly Replica[], collectFile: string): Promise<readonly number[]> {
  const least = replicas.map(() => Infinity);
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    await writeFile(collectFile, `${performance.now()}`);
    await sleep(1000);
    for (const [index, { server }] of replicas.entries()) {
      least[index] = Math.min(least[index] ?? Infinity, residentBytes(server.pid));
    }
  }
  return least;
}

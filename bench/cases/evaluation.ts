import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { judged, mebibytes, times, type Figure } from '../figure.ts';
import { inTurns, median } from '../support/statistics.ts';

const SCRIPT = join(import.meta.dirname, '../support/evaluate-policy.ts');
const POLICIES = ['image-registry', 'image-registry-assemblyscript', 'default-labels'];
const ROUNDS = 3;
/** 10 bytes for each of 100,000 evaluations: what is kept of an evaluation would be more. */
const NO_GROWTH = 1024 ** 2;

/** V8 makes its heap larger while a process is young; with a young generation of one size that does not look like a leak. */
const STEADY_HEAP = ['--expose-gc', '--min-semi-space-size=16', '--max-semi-space-size=16'];

interface Sample {
  readonly p50: number;
  readonly p99: number;
  readonly growth: number;
}

interface Row {
  readonly policy: string;
  /** Of medians: reset to reused. */
  readonly reset: number;
  /** Of 99th percentiles: fresh to reset. */
  readonly fresh: number;
  readonly growth: number;
  readonly detail: string;
}

/** Each way in processes of its own: the garbage of fresh instances would show in the others' percentiles. */
export async function evaluation(): Promise<Figure[]> {
  const rows: Row[] = [];
  for (const policy of POLICIES) rows.push(await compare(policy));
  return rows.flatMap(({ policy, reset, fresh, growth, detail }) => [
    judged(
      `reset against reused instance: ${policy}`,
      { value: reset, show: times, detail },
      { atMost: 1.5 },
    ),
    judged(
      `p99 of fresh instances against reset ones: ${policy}`,
      { value: fresh, show: times, detail },
      { atLeast: 10 },
    ),
    judged(
      `growth of memory in 100,000 evaluations: ${policy}`,
      { value: growth, show: mebibytes },
      { atMost: NO_GROWTH },
    ),
  ]);
}

async function compare(policy: string): Promise<Row> {
  const [reused = [], reset = [], fresh = []] = await inTurns(
    ROUNDS,
    ['reused', 'reset', 'fresh'].map((mode) => () => sample(policy, mode)),
  );
  // V8 may take memory once for reasons of its own; what is kept of every evaluation is kept each time.
  const [pool = []] = await inTurns(2, [() => sample(policy, 'pool', STEADY_HEAP)]);
  const growth = Math.min(...pool.map((one) => one.growth));
  // The mean, not the median: whether long collections make up one in a hundred evaluations differs from run to run.
  const p99 = (of: readonly Sample[]): number => of.reduce((sum, one) => sum + one.p99, 0) / of.length;
  const p50 = (of: readonly Sample[]): number => median(of.map((one) => one.p50));
  const shown = (name: string, of: readonly Sample[]): string =>
    `${name} ${p50(of).toFixed(0)} and ${p99(of).toFixed(0)} µs`;
  return {
    policy,
    reset: p50(reset) / p50(reused),
    fresh: p99(fresh) / p99(reset),
    growth,
    detail: `p50 and p99: ${shown('reused', reused)}, ${shown('reset', reset)}, ${shown('fresh', fresh)}`,
  };
}

async function sample(policy: string, mode: string, flags = ['--expose-gc']): Promise<Sample> {
  const path = join(import.meta.dirname, '../../policies', policy, 'policy.yaml');
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, SCRIPT, path, mode]);
  return JSON.parse(stdout) as Sample;
}

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { judged, times, type Figure } from '../figure.ts';
import { inTurns, median } from '../support/statistics.ts';

const ROOT = join(import.meta.dirname, '../..');
const SCRIPT = join(import.meta.dirname, '../support/evaluate-opa.ts');
const MODULE = 'policies/memory-limits-rego/memory-limits-rego.wasm';
const ROUNDS = 3;

interface Sample {
  /** Microseconds of processor time, all threads. */
  readonly cost: number;
  readonly answer: string;
}

/** Rego compiled by OPA: our host, metered and reset after each evaluation, beside the one of npm, which does neither. */
export async function opa(): Promise<Figure[]> {
  const [ours = [], theirs = []] = await inTurns(
    ROUNDS,
    ['portcullis', 'opa-wasm'].map((way) => () => sample(way)),
  );
  if (new Set([...ours, ...theirs].map(({ answer }) => answer)).size !== 1)
    throw new Error('they differ in what they say');
  const cost = (of: readonly Sample[]): number => median(of.map((one) => one.cost));
  const detail = `processor time: ours ${cost(ours).toFixed(0)} µs, theirs ${cost(theirs).toFixed(0)} µs`;
  return [
    judged(
      'OPA Wasm, evaluations per second against @open-policy-agent/opa-wasm',
      { value: cost(theirs) / cost(ours), show: times, detail },
      { atLeast: 1.5 },
    ),
  ];
}

async function sample(way: string): Promise<Sample> {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, MODULE, way], { cwd: ROOT });
  return JSON.parse(stdout) as Sample;
}

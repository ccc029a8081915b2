import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { judged, times, type Figure } from '../figure.ts';
import { inTurns, median } from '../support/statistics.ts';

const ROOT = join(import.meta.dirname, '../..');
const SCRIPT = join(import.meta.dirname, '../support/evaluate-wasi.ts');
const ROUNDS = 3;
/** No digest of anything. */
const DIGEST = '9b2a7bd9'.repeat(8);

interface Sample {
  readonly answer: string;
  /** Microseconds of processor time. */
  readonly cost: number;
}

interface Candidate {
  readonly name: string;
  readonly module: string;
  readonly entry: string;
  readonly input: object;
}

const CANDIDATES: readonly Candidate[] = [
  {
    name: 'a command in Go',
    module: 'policies/denied-verbs-go/denied-verbs-go.wasm',
    entry: '_start',
    input: {
      request: {
        spec: { groups: ['contractors'], resourceAttributes: { verb: 'delete', resource: 'pods' } },
      },
      settings: { rules: [{ group: 'contractors', verbs: ['delete'], resources: ['*'] }] },
    },
  },
  {
    name: 'a function in Rust',
    module: 'policies/static-tokens-rust-wasi/static-tokens-rust-wasi.wasm',
    entry: 'authn',
    input: {
      request: { spec: { token: 'desk-42' } },
      settings: { tokens: [{ sha256: DIGEST, user: { username: 'ana' } }] },
    },
  },
];

/** Modules of the WASI dialect, metered and limited, beside the same module with a WASI around it and nothing else. */
export async function wasi(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const candidate of CANDIDATES) {
    const [fresh = [], reset = [], bare = []] = await inTurns(
      ROUNDS,
      ['fresh', 'reset', 'bare'].map((way) => () => sample(candidate, way)),
    );
    const answers = new Set([...fresh, ...reset, ...bare].map(({ answer }) => answer));
    if (answers.size !== 1) throw new Error(`${candidate.name}: ${answers.size} different answers`);
    const cost = (of: readonly Sample[]): number => median(of.map((one) => one.cost));
    const shown = (of: readonly Sample[]): string => `${cost(of).toFixed(0)} µs`;
    const detail = `processor time: fresh ${shown(fresh)}, bare ${shown(bare)}, reset ${shown(reset)}`;
    figures.push(
      judged(
        `WASI, fresh instances against a bare host without limits: ${candidate.name}`,
        { value: cost(fresh) / cost(bare), show: times, detail },
        { atMost: 1.5 },
      ),
    );
  }
  return figures;
}

async function sample({ module, entry, input }: Candidate, way: string): Promise<Sample> {
  const parameters = [SCRIPT, join(ROOT, module), entry, JSON.stringify(input), way];
  const { stdout } = await promisify(execFile)(process.execPath, parameters);
  return JSON.parse(stdout) as Sample;
}

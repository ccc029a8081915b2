import { parseArgs } from 'node:util';
import { buildComponents } from './support/components.ts';
import { runSoak } from './support/run-soak.ts';
import { soakProblems, soakTable } from './support/soak-report.ts';

const USAGE = `usage: node e2e/soak.ts [--minutes N] [--seed S]

Three replicas behind a balancer, on a real API server, under load, with faults at random; prints what became of it.

  --minutes N   default 3; one round of all faults happens in any case
  --seed S      which faults come when; default: any, and it is printed
`;

/** Exit code: 0 when the soak is passed, 1 when not or when it cannot be run, 2 for wrong arguments. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '3' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      help: { type: 'boolean', default: false },
    },
  });
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  if (values.help || !(minutes > 0) || !Number.isInteger(seed)) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  const missing = await buildComponents();
  if (missing !== undefined) {
    process.stderr.write(`soak: ${missing}\n`);
    return 1;
  }
  const log = (line: string): void => void process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  const report = await runSoak({ minutes, seed, log });
  const problems = soakProblems(report);
  process.stdout.write(soakTable(report));
  for (const problem of problems) process.stdout.write(`\nnot passed: ${problem}\n`);
  return problems.length === 0 ? 0 : 1;
}

// Connections that were broken on purpose may hold the process for longer than there is anything to do.
process.exit(await main());

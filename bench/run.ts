import { parseArgs } from 'node:util';
import { access } from './cases/access.ts';
import { cluster } from './cases/cluster.ts';
import { endless } from './cases/endless.ts';
import { evaluation } from './cases/evaluation.ts';
import { footprint } from './cases/footprint.ts';
import { kubewarden } from './cases/kubewarden.ts';
import { metering } from './cases/metering.ts';
import { opa } from './cases/opa.ts';
import { reload } from './cases/reload.ts';
import { scale } from './cases/scale.ts';
import { threads } from './cases/threads.ts';
import { throughput } from './cases/throughput.ts';
import { wasi } from './cases/wasi.ts';
import { watch } from './cases/watch.ts';
import type { Figure } from './figure.ts';
import { createWorkbench, type Workbench } from './support/workbench.ts';
import { figureTable } from './table/figure-table.ts';
import { writeReadme } from './table/write-readme.ts';

const CASES: Readonly<Record<string, (bench: Workbench) => Promise<Figure[]>>> = {
  throughput,
  evaluation,
  kubewarden,
  opa,
  wasi,
  access,
  metering,
  threads,
  reload,
  scale,
  watch,
  cluster,
  endless,
  footprint,
};

const USAGE = `usage: npm run bench -- [--only NAME]… [--write]
  --only NAME   one of ${Object.keys(CASES).join(', ')}; may be given several times
  --write       put the table into bench/README.md; only with all benchmarks
`;

/** Exit code: 0 also when targets are missed, 1 when a benchmark could not be run, 2 for wrong arguments. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const names = values.only.length === 0 ? Object.keys(CASES) : values.only;
  const isUnknown = names.some((name) => CASES[name] === undefined);
  if (values.help || isUnknown || (values.write && values.only.length > 0)) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  const { figures, failed } = await runCases(names);
  process.stdout.write(figureTable(figures));
  if (values.write && !failed) writeReadme(figures);
  return failed ? 1 : 0;
}

async function runCases(names: readonly string[]): Promise<{ figures: Figure[]; failed: boolean }> {
  const bench = await createWorkbench();
  const figures: Figure[] = [];
  let failed = false;
  try {
    for (const name of names) {
      process.stderr.write(`${name} …\n`);
      try {
        figures.push(...((await CASES[name]?.(bench)) ?? []));
      } catch (error) {
        failed = true;
        process.stderr.write(
          `${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
        );
      }
      await bench.tidy();
    }
  } finally {
    await bench.close();
  }
  return { figures, failed };
}

process.exitCode = await main();

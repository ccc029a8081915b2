import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { buildComponents, endToEndRequired } from './support/components.ts';
import { pruneWorkDirectories } from './support/work-directory.ts';

const USAGE = `usage: npm run e2e -- [--suite NAME]… [--build-only]

  --suite NAME    only e2e/suites/NAME.e2e.ts; may be repeated
  --build-only    build what the suites need, run nothing

Two suites run side by side, but those whose name ends in \`.alone\` have the machine to themselves.
The files of a suite are removed when it passed; PORTCULLIS_E2E_KEEP=1 keeps them in e2e/.work.
Without Go the suites that need it are skipped; PORTCULLIS_E2E=required makes that a failure.
`;
const SUFFIX = '.e2e.ts';
const ALONE = '.alone';
const SUITES = join(import.meta.dirname, 'suites');
const SUITE_TIMES = join(import.meta.dirname, 'support', 'suite-times.ts');

/** Builds what is missing and runs the suites; returns the exit code. */
async function run(args: readonly string[]): Promise<number> {
  const options = parseArguments(args);
  if (typeof options === 'string') return complain(`${options}\n\n${USAGE}`, 2);
  if (options.help) return complain(USAGE, 0);
  const missing = await buildComponents();
  if (missing !== undefined) {
    if (options.buildOnly || endToEndRequired()) return complain(`e2e: ${missing}\n`, 1);
    complain(`e2e: suites on real components are skipped: ${missing}\n`, 0);
  }
  if (options.buildOnly) return 0;
  await pruneWorkDirectories();
  const shared = options.suites.filter((name) => !name.endsWith(ALONE));
  const alone = options.suites.filter((name) => name.endsWith(ALONE));
  const codes = [await runTests(shared, 2), await runTests(alone, 1)];
  return Math.max(...codes);
}

interface Options {
  readonly suites: readonly string[];
  readonly buildOnly: boolean;
  readonly help: boolean;
}

/** What to run, or a complaint. */
function parseArguments(args: readonly string[]): Options | string {
  const known = readdirSync(SUITES)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .sort();
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        suite: { type: 'string', multiple: true },
        'build-only': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const suites = values.suite ?? known;
    const unknown = suites.find((name) => !known.includes(name));
    if (unknown !== undefined) return `no suite \`${unknown}\`; there are: ${known.join(', ')}`;
    return { suites, buildOnly: values['build-only'], help: values.help };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function complain(text: string, code: number): number {
  process.stderr.write(text);
  return code;
}

async function runTests(suites: readonly string[], sideBySide: number): Promise<number> {
  if (suites.length === 0) return 0;
  const files = suites.map((name) => relative(process.cwd(), join(SUITES, name + SUFFIX)));
  const reporters = ['spec', SUITE_TIMES].flatMap((name, index) => [
    `--test-reporter=${name}`,
    `--test-reporter-destination=${index === 0 ? 'stdout' : 'stderr'}`,
  ]);
  const args = ['--test', `--test-concurrency=${sideBySide}`, ...reporters, ...files];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  // The terminal sends an interrupt to the whole group; the suites clean up and end by themselves.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

process.exitCode = await run(process.argv.slice(2));

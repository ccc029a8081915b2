import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { Fault, isFault } from '../kernel/fault.ts';
import { attempt } from '../kernel/result.ts';
import { EXIT, type CommandIo } from './command-io.ts';
import { createCommandLog } from './offline/command-log.ts';
import { ownNamespaceOption } from './offline/policy-files.ts';
import { junitReport } from './suites/junit.ts';
import { runSuite, type CaseResult, type SuiteResult } from './suites/run-suite.ts';

interface TestOptions {
  readonly junit?: string;
  readonly verbose: boolean;
  readonly ownNamespace: string;
}

export function createTestCommand(io: CommandIo, finish: (code: number) => void): Command {
  return new Command('test')
    .summary('run declarative test suites of policies')
    .description(
      'Runs test suites: YAML files in folders named `tests`, or files named directly.\n' +
        'Exit status: 0 all passed, 1 something failed, 2 a suite or policy cannot be used, or there is no suite.',
    )
    .argument('<path...>', 'folders or suite files')
    .option('--junit <file>', 'also write a JUnit report')
    .addOption(ownNamespaceOption())
    .option('-v, --verbose', 'name passing cases too, and show what policies log', false)
    .addHelpText('after', '\nExample:\n  portcullis test policies\n')
    .action(async (paths: string[], options: TestOptions) => finish(await test(paths, options, io)));
}

async function test(paths: readonly string[], options: TestOptions, io: CommandIo): Promise<number> {
  const files: string[] = [];
  for (const path of paths) {
    const found = await attempt('PC_INPUT', `cannot read \`${path}\``, () => findSuites(path));
    if (isFault(found)) return refuse(found, io);
    files.push(...found);
  }
  if (files.length === 0)
    return refuse(new Fault('PC_INPUT', 'no test suites found: no `tests` folder with YAML files'), io);

  const results: SuiteResult[] = [];
  let broken = 0;
  for (const file of files) {
    const result = await runSuite(file, {
      log: createCommandLog(io, options.verbose),
      namespace: options.ownNamespace,
    });
    if (isFault(result)) {
      broken += 1;
      refuse(result, io);
    } else {
      results.push(result);
      report(result, options.verbose, io);
    }
  }
  if (options.junit !== undefined) await writeFile(options.junit, junitReport(results));
  return summarise(results, broken, io);
}

function refuse(fault: Fault, io: CommandIo): number {
  io.err(`${fault.code}: ${fault.message}\n`);
  return EXIT.badInput;
}

function report({ file, cases }: SuiteResult, verbose: boolean, io: CommandIo): void {
  io.out(`${file}\n`);
  for (const { name, failures } of cases) {
    if (failures.length === 0 && !verbose) continue;
    io.out(`  ${failures.length === 0 ? io.paint('green', 'passed') : io.paint('red', 'failed')}  ${name}\n`);
    for (const failure of failures) io.out(`          ${failure}\n`);
  }
}

function summarise(results: readonly SuiteResult[], broken: number, io: CommandIo): number {
  const cases: readonly CaseResult[] = results.flatMap((result) => result.cases);
  const failed = cases.filter(({ failures }) => failures.length > 0).length;
  const note = broken === 0 ? '' : `, ${broken} ${broken === 1 ? 'suite' : 'suites'} could not be used`;
  io.out(`${cases.length - failed} passed, ${failed} failed${note}\n`);
  if (broken > 0) return EXIT.badInput;
  return failed > 0 ? EXIT.denied : EXIT.ok;
}

/** A file as it is; below a folder, the YAML files of every folder named `tests`. */
async function findSuites(path: string, inTests = false): Promise<readonly string[]> {
  if ((await stat(path)).isFile()) return [path];
  const found: string[] = [];
  for (const entry of (await readdir(path, { withFileTypes: true })).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const inner = join(path, entry.name);
    if (entry.name.startsWith('.') || entry.name === 'node_modules' || entry.name === 'target') continue;
    if (entry.isDirectory()) found.push(...(await findSuites(inner, inTests || entry.name === 'tests')));
    else if ((inTests || path.endsWith('tests')) && /\.ya?ml$/.test(entry.name)) found.push(inner);
  }
  return found;
}

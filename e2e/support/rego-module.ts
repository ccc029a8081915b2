import { equal } from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { opaBinary } from './components.ts';
import { runCommand } from './run-command.ts';

const MAIN = join(import.meta.dirname, '../../packages/server/src/cli/main.js');

/** As an author annotates a module in Rego. */
export async function annotateModule(module: string, executionMode: string, output: string): Promise<void> {
  const metadata = `${output}.yml`;
  await writeFile(metadata, JSON.stringify({ executionMode, mutating: false, rules: [] }));
  const command = [MAIN, 'policy', 'annotate', module, '--metadata', metadata, '--output', output];
  const { code, stderr } = await runCommand(process.execPath, command);
  equal(code, 0, stderr);
}

/** What OPA compiles, with one entry point. */
export async function buildRego(source: string, entrypoint: string, output: string): Promise<void> {
  const bundle = `${output}.tar.gz`;
  const build = ['build', '-t', 'wasm', '-e', entrypoint, '-o', bundle, source];
  const made = await runCommand(opaBinary(), build);
  equal(made.code, 0, made.stderr);
  const directory = dirname(output);
  const unpacked = await runCommand('tar', ['-xzf', bundle, '-C', directory, '/policy.wasm']);
  equal(unpacked.code, 0, unpacked.stderr);
  await rename(join(directory, 'policy.wasm'), output);
}

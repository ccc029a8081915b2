import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Compiles a guest of these suites, in AssemblyScript, into a folder. */
export async function compileGuest(name: string, directory: string): Promise<Uint8Array> {
  const file = join(directory, `${name}.wasm`);
  const compiler = join(ROOT, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
  const source = join('e2e', 'guests', 'assembly', `${name}.ts`);
  const config = join('packages', 'sdk', 'asconfig.json');
  // The compiler knows only paths below its working folder.
  const { code, stderr } = await runCommand(
    process.execPath,
    [compiler, source, '--outFile', file, '--config', config],
    { cwd: ROOT },
  );
  if (code !== 0) throw new Error(`${source} cannot be compiled:\n${stderr}`);
  return readFile(file);
}

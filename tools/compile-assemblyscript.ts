import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './embed-module.ts';

const OPTIONS = '--runtime stub --enable simd -O3 --converge --noAssert --use abort=';

/** A module of a source below the root. The compiler's version is fixed, and it gives the same bytes everywhere. */
export async function compileAssemblyScript(source: string, options: string): Promise<Buffer> {
  const scratch = await mkdtemp(join(tmpdir(), 'assemblyscript-'));
  try {
    const output = join(scratch, 'module.wasm');
    const compiler = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
    const args = [compiler, source, '--outFile', output, ...`${OPTIONS} ${options}`.split(' ')];
    // The compiler knows only paths below its working folder. What it complains of gets into the error.
    execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'pipe' });
    return await readFile(output);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

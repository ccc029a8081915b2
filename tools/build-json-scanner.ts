import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embedModule, ROOT } from './embed-module.ts';

const SOURCE = 'packages/server/assembly/json-scanner/scan.ts';
const OPTIONS = '--runtime stub --enable simd --initialMemory 5 -O3 --converge --noAssert --use abort=';

/** The compiler's version is fixed, and it gives the same bytes everywhere. */
async function compile(): Promise<Buffer> {
  const scratch = await mkdtemp(join(tmpdir(), 'json-scanner-'));
  try {
    const output = join(scratch, 'json-scanner.wasm');
    const compiler = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
    // The compiler knows only paths below its working folder. What it complains of gets into the error.
    execFileSync(process.execPath, [compiler, SOURCE, '--outFile', output, ...OPTIONS.split(' ')], {
      cwd: ROOT,
      stdio: 'pipe',
    });
    return await readFile(output);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

await embedModule({
  source: SOURCE,
  target: 'packages/server/src/kernel/json/scanner-module.ts',
  name: 'SCANNER_MODULE',
  tool: 'tools/build-json-scanner.ts',
  script: 'scanner',
  compile,
});

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Compiles packages/server/assembly/json-scanner into a module of the kernel, which reads no files. With `--check` it only says
 * whether the committed one is what the source says: the compiler's version is fixed, and it gives the same bytes everywhere.
 */
const ROOT = join(import.meta.dirname, '..');
const SOURCE = 'packages/server/assembly/json-scanner/scan.ts';
const TARGET = 'packages/server/src/kernel/json/scanner-module.ts';
const OPTIONS = '--runtime stub --enable simd --initialMemory 5 -O3 --converge --noAssert --use abort=';

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

function render(bytes: Buffer): string {
  return [
    `/** ${SOURCE}, compiled by tools/build-json-scanner.ts: ${bytes.length} bytes of WebAssembly in base64. */`,
    'export const SCANNER_MODULE =',
    `  '${bytes.toString('base64')}';`,
    '',
  ].join('\n');
}

const file = join(ROOT, TARGET);
const text = render(await compile());
if (!process.argv.includes('--check')) {
  await writeFile(file, text);
} else if (text !== (await readFile(file, 'utf8'))) {
  process.stderr.write(`${TARGET} is not what its source says: run \`npm run scanner\`\n`);
  process.exitCode = 1;
}

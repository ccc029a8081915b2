import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import createWabt from 'wabt';

/**
 * Compiles packages/server/assembly/opa-adapter into a module of the engine. With `--check` it only says whether the committed
 * one is what the source says.
 */
const ROOT = join(import.meta.dirname, '..');
const SOURCE = 'packages/server/assembly/opa-adapter/adapter.wat';
const TARGET = 'packages/server/src/engines/opa/adapter-module.ts';

async function compile(): Promise<Buffer> {
  const wabt = await createWabt();
  const module = wabt.parseWat(SOURCE, await readFile(join(ROOT, SOURCE), 'utf8'));
  try {
    return Buffer.from(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

function render(bytes: Buffer): string {
  return [
    `/** ${SOURCE}, compiled by tools/build-opa-adapter.ts: ${bytes.length} bytes of WebAssembly in base64. */`,
    'export const ADAPTER_MODULE =',
    `  '${bytes.toString('base64')}';`,
    '',
  ].join('\n');
}

const file = join(ROOT, TARGET);
const text = render(await compile());
if (!process.argv.includes('--check')) {
  await writeFile(file, text);
} else if (text !== (await readFile(file, 'utf8'))) {
  process.stderr.write(`${TARGET} is not what its source says: run \`npm run opa-adapter\`\n`);
  process.exitCode = 1;
}

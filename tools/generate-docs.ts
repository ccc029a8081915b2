import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format } from 'prettier';
import { PAGES } from './docs/pages.ts';

/** Writes the generated references; with `--check` it only says which ones are not what the code says. */
const root = join(import.meta.dirname, '..');
const checkOnly = process.argv.includes('--check');
let stale = 0;

for (const [path, render] of Object.entries(PAGES)) {
  const text = await format(await render(), { parser: 'markdown', printWidth: 110 });
  const file = join(root, path);
  if (!checkOnly) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } else if (text !== read(file)) {
    stale += 1;
    process.stderr.write(`${path} is not what the code says: run \`npm run docs\`\n`);
  }
}
process.stdout.write(`docs: ${Object.keys(PAGES).length} generated pages, ${stale} stale\n`);
process.exitCode = stale === 0 ? 0 : 1;

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

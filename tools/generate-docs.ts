import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { format } from 'prettier';
import { PAGES } from './docs/pages.ts';

/** Writes the generated references and manifests; with `--check` it only says which ones are not what the code says. */
const root = join(import.meta.dirname, '..');
const checkOnly = process.argv.includes('--check');
const OPTIONS: Readonly<Record<string, object>> = {
  '.md': { parser: 'markdown', printWidth: 110 },
  '.json': { parser: 'json', printWidth: 110 },
  '.yaml': { parser: 'yaml', printWidth: 110, singleQuote: true },
};
let stale = 0;
let skipped = 0;

for (const [path, render] of Object.entries(PAGES)) {
  const made = await render();
  if (typeof made !== 'string') {
    skipped += 1;
    process.stderr.write(`${path} is left as it is: ${made.reason}\n`);
    continue;
  }
  const text = await format(made, OPTIONS[extname(path)] ?? {});
  const file = join(root, path);
  if (!checkOnly) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } else if (text !== read(file)) {
    stale += 1;
    process.stderr.write(`${path} is not what the code says: run \`npm run docs\`\n`);
  }
}
process.stdout.write(
  `docs: ${Object.keys(PAGES).length} generated files, ${stale} stale, ${skipped} skipped\n`,
);
process.exitCode = stale === 0 ? 0 : 1;

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

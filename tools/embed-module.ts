import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const ROOT: string = join(import.meta.dirname, '..');

/** WebAssembly of our own that is part of a source file, so that whoever needs it reads no files. */
export interface EmbeddedModule {
  /** From the root, as are all paths here. */
  readonly source: string;
  /** The file that has it. */
  readonly target: string;
  /** Exported there. */
  readonly name: string;
  /** The tool that compiles it, and the script of package.json that runs the tool. */
  readonly tool: string;
  readonly script: string;
  compile(): Promise<Buffer>;
}

/** Writes the target. With `--check` it only says whether the committed one is what the source says. */
export async function embedModule(module: EmbeddedModule): Promise<void> {
  const file = join(ROOT, module.target);
  const text = render(module, await module.compile());
  if (!process.argv.includes('--check')) {
    await writeFile(file, text);
  } else if (text !== (await readFile(file, 'utf8'))) {
    process.stderr.write(`${module.target} is not what its source says: run \`npm run ${module.script}\`\n`);
    process.exitCode = 1;
  }
}

function render({ source, tool, name }: EmbeddedModule, bytes: Buffer): string {
  return [
    `/** ${source}, compiled by ${tool}: ${bytes.length} bytes of WebAssembly in base64. */`,
    `export const ${name} =`,
    `  '${bytes.toString('base64')}';`,
    '',
  ].join('\n');
}

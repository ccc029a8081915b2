import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '.work');
const KEEP_MS = 24 * 60 * 60 * 1000;
const made: string[] = [];

/**
 * Makes a fresh folder `e2e/.work/<name>-…` for files and logs of one suite. It is left behind for reading when a test
 * failed or PORTCULLIS_E2E_KEEP is set, and removed when the process ends well.
 */
export async function createWorkDirectory(name: string): Promise<string> {
  await mkdir(ROOT, { recursive: true });
  const directory = await mkdtemp(join(ROOT, `${name}-`));
  if (made.push(directory) === 1) process.once('exit', removeAfterSuccess);
  return directory;
}

/** Removes the work folders that are older than a day, so that other runs on the machine keep theirs. */
export async function pruneWorkDirectories(): Promise<void> {
  const names = await readdir(ROOT).catch(() => []);
  await Promise.all(
    names.map(async (name) => {
      const path = join(ROOT, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs > KEEP_MS) {
        // What a killed run left mounted stays; it must not hinder this one.
        await rm(path, { recursive: true, force: true }).catch(() => undefined);
      }
    }),
  );
}

function removeAfterSuccess(code: number): void {
  if (code !== 0 || process.env['PORTCULLIS_E2E_KEEP']) return;
  for (const directory of made) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}

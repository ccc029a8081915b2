import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '.work');
const KEEP_MS = 24 * 60 * 60 * 1000;

/** Makes a fresh folder `e2e/.work/<name>-…` for files and logs of one suite; it is left behind for reading. */
export async function createWorkDirectory(name: string): Promise<string> {
  await mkdir(ROOT, { recursive: true });
  return mkdtemp(join(ROOT, `${name}-`));
}

/** Removes the work folders that are older than a day, so that other runs on the machine keep theirs. */
export async function pruneWorkDirectories(): Promise<void> {
  const names = await readdir(ROOT).catch(() => []);
  await Promise.all(
    names.map(async (name) => {
      const path = join(ROOT, name);
      const { mtimeMs } = await stat(path);
      if (Date.now() - mtimeMs > KEEP_MS) await rm(path, { recursive: true, force: true });
    }),
  );
}

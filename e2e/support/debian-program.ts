import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runCommand } from './run-command.ts';

const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'portcullis', 'e2e', 'debian');

/**
 * A program of a Debian package of the same name: the installed one, or one that is unpacked into the cache, where it starts
 * no service and changes nothing else. A sentence when it cannot be had.
 */
export async function findDebianProgram(name: string): Promise<{ readonly path: string } | string> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (await isThere(path)) return { path };
  }
  const path = join(CACHE, name, 'usr', 'bin', name);
  if (await isThere(path)) return { path };
  const problem = await unpack(name);
  return problem ?? { path };
}

/** Two suites may do it at the same time: the folder appears at once, and the last one stays. */
async function unpack(name: string): Promise<string | undefined> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, `${name}-`));
  try {
    // An old list of packages names files that are gone.
    const script = `cd "$1" && { apt-get download -q "$2" || { apt-get update -q && apt-get download -q "$2"; }; } && dpkg-deb -x ./*.deb unpacked`;
    const args = ['-c', script, 'sh', folder, name];
    const result = await runCommand('/bin/sh', args, { timeout: 300_000 }).catch(String);
    if (typeof result === 'string' || result.code !== 0) {
      const reason = typeof result === 'string' ? result : result.stderr.trim().split('\n').at(-1);
      return `it needs ${name} (a package of Debian), which cannot be downloaded: ${reason}`;
    }
    await rename(join(folder, 'unpacked'), join(CACHE, name)).catch(() => undefined);
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && (found.mode & 0o111) !== 0;
}

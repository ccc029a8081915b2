import { access, constants, mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Logger } from '../kernel/ports.ts';
import { createDiskCache, type CacheCounts } from '../sources/disk-cache/create-disk-cache.ts';
import { noModuleCache, type ModuleCache } from '../sources/module-cache.ts';
import type { Config } from './config/config.ts';

export interface OpenedCache extends ModuleCache {
  /** Undefined when nothing is kept. */
  counts(): CacheCounts | undefined;
}

const WRITABLE_BY_ALL = 0o002;

/** The cache on disk as the configuration says. Without a place that is ours alone there is none, and a line in the log says so. */
export async function openModuleCache(
  { enabled, directory = defaultDirectory(), maxBytes }: Config['sources']['cache'],
  wall: () => number,
  log: Logger,
): Promise<OpenedCache> {
  if (!enabled) return off;
  const problem = await problemOf(directory);
  if (problem === undefined) return createDiskCache({ directory, maxBytes, wall, log });
  log.log('info', 'modules are not kept on disk: a start needs their registries', {
    directory,
    reason: problem,
  });
  return off;
}

const off: OpenedCache = { ...noModuleCache, counts: () => undefined };

/** As the XDG base directory specification has it: a relative path is not used. */
function defaultDirectory(): string {
  const given = process.env['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(given) ? given : join(homedir(), '.cache'), 'portcullis', 'modules');
}

async function problemOf(directory: string): Promise<string | undefined> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    const { mode } = await stat(directory);
    return (mode & WRITABLE_BY_ALL) === 0 ? undefined : 'everybody may write to it';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

import { mkdir, open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { sha256 } from '../../kernel/digest.ts';
import type { Logger } from '../../kernel/ports.ts';
import { hasDigest, isContentDigest } from '../../oci/content-digest.ts';
import type { ModuleCache } from '../module-cache.ts';
import { pathIn, pruneFolder, TEMPORARY } from './prune-folder.ts';
import { formatTagNote, parseTagNote, TAGS } from './tag-note.ts';

export interface DiskCacheOptions {
  readonly directory: string;
  /** Of all content together. */
  readonly maxBytes: number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly log: Logger;
}

export interface DiskCache extends ModuleCache {
  counts(): CacheCounts;
}

/** Since the start, but for `bytes`, which is what lies there as far as this process knows. */
export interface CacheCounts {
  readonly hits: number;
  readonly misses: number;
  /** Files whose bytes did not have their digest; they are removed. */
  readonly damaged: number;
  readonly failedWrites: number;
  readonly bytes: number;
}

/**
 * A folder of files that are named for their digests. Files come by renaming, so any number of processes may share it; each is held
 * to its digest when it is read. Notes of what tags stood for lie beside: they are believed, so nobody else may write there.
 *
 *     content/sha256/<hex>   manifests and modules
 *     tags/<hex>.json        what a tag stood for
 *     tmp/<uuid>             files that are being written
 */
export function createDiskCache(options: DiskCacheOptions): DiskCache {
  const { directory, maxBytes, wall, log } = options;
  const counts = { hits: 0, misses: 0, damaged: 0, failedWrites: 0, bytes: 0 };
  /** When this process last used what, since it last told the files. */
  const uses = new Map<string, number>();
  const remembered = new Map<string, string>();
  let isFailing = false;
  let pruning: Promise<void> = prune();

  async function prune(): Promise<void> {
    try {
      counts.bytes = await pruneFolder({ directory, maxBytes, now: wall(), uses });
    } catch (error) {
      failed('cannot be tidied', error);
    }
  }

  /** One line when it begins; a disk that is full stays so for a while. */
  function failed(what: string, error: unknown): void {
    counts.failedWrites += 1;
    if (isFailing) return;
    isFailing = true;
    log.log('warn', `the cache of modules ${what}`, { directory, reason: String(error) });
  }

  async function place(path: string, bytes: Uint8Array | string): Promise<boolean> {
    const temporary = join(directory, TEMPORARY, randomUUID());
    try {
      await Promise.all(
        [temporary, path].map((file) => mkdir(dirname(file), { recursive: true, mode: 0o700 })),
      );
      await writeWhole(temporary, bytes);
      await rename(temporary, path);
      isFailing = false;
      return true;
    } catch (error) {
      failed('cannot be written', error);
      await rm(temporary, { force: true }).catch(() => undefined);
      return false;
    }
  }

  async function damaged(digest: string, path: string): Promise<undefined> {
    counts.damaged += 1;
    log.log('warn', 'a file in the cache of modules is damaged, and is removed', { digest });
    await rm(path, { force: true }).catch(() => undefined);
    return undefined;
  }

  return {
    async read(digest, most) {
      const path = pathIn(directory, digest);
      const bytes = await readUpTo(path, most);
      if (bytes === undefined) {
        counts.misses += 1;
        return undefined;
      }
      if (!hasDigest(bytes, digest)) return damaged(digest, path);
      counts.hits += 1;
      uses.set(digest, wall());
      return bytes;
    },

    async write(digest, bytes) {
      if (bytes.length > maxBytes) return;
      if (!(await place(pathIn(directory, digest), bytes))) return;
      uses.set(digest, wall());
      // One after the other, and each sees what was written before it began.
      pruning = pruning.then(prune);
      await pruning;
    },

    async recall(name) {
      const text = await readFile(tagPath(name), 'utf8').catch(() => '');
      const digest = parseTagNote(text, name);
      return digest !== undefined && isContentDigest(digest) ? digest : undefined;
    },

    async remember(name, digest) {
      if (remembered.get(name) === digest) return;
      if (await place(tagPath(name), formatTagNote(name, digest))) remembered.set(name, digest);
    },

    used: (digest) => void uses.set(digest, wall()),
    counts: () => ({ ...counts }),
  };

  function tagPath(name: string): string {
    return join(directory, TAGS, `${sha256(name)}.json`);
  }
}

/** Undefined when there is no such file, or it is too large, or it cannot be read: then it is as good as not there. */
async function readUpTo(path: string, most: number): Promise<Uint8Array | undefined> {
  try {
    const info = await stat(path);
    return info.isFile() && info.size <= most ? await readFile(path) : undefined;
  } catch {
    return undefined;
  }
}

/** On the disk when it resolves: a name must not come before its content. */
async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'wx', 0o600);
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file?.close();
  }
}

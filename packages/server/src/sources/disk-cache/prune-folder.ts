import { existsSync } from 'node:fs';
import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { isContentDigest } from '../../oci/content-digest.ts';
import { parseTagNote, TAGS } from './tag-note.ts';

export interface PruneOptions {
  readonly directory: string;
  /** Of all content together; notes of tags are small and not counted. */
  readonly maxBytes: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** When this process used what, by digest; what the files know then is taken out. */
  readonly uses: Map<string, number>;
}

export const TEMPORARY = 'tmp';
const CONTENT = 'content';
const ALGORITHMS = ['sha256', 'sha512'];
/** Milliseconds after which a file that is being written belongs to a process that has died. */
const ABANDONED = 3_600_000;

/** Where content lies; the digest is a content digest, so it has one colon and nothing that leads elsewhere. */
export function pathIn(directory: string, digest: string): string {
  return join(directory, CONTENT, ...digest.split(':'));
}

/**
 * Removes what was not used for longest until the rest fits, then notes of tags whose content is gone, and what a process that died
 * has left. The time of a file is that of its last use, so that processes which share the folder, and the next one, know. Resolves
 * to the bytes that stay. Another process may remove the same at the same time.
 */
export async function pruneFolder(options: PruneOptions): Promise<number> {
  const { directory, maxBytes, now, uses } = options;
  const told = new Map(uses);
  uses.clear();
  const files = await contentOf(directory);
  await Promise.all(files.map((file) => touch(file, told)));
  let total = files.reduce((sum, { size }) => sum + size, 0);
  const oldestFirst = files.toSorted((a, b) => a.usedAt - b.usedAt);
  for (const { path, size } of oldestFirst) {
    if (total <= maxBytes) break;
    await rm(path, { force: true });
    total -= size;
  }
  await removeNotes(directory);
  await removeAbandoned(join(directory, TEMPORARY), now);
  return total;
}

interface ContentFile {
  readonly path: string;
  readonly digest: string;
  readonly size: number;
  usedAt: number;
}

async function contentOf(directory: string): Promise<ContentFile[]> {
  const digests = await Promise.all(
    ALGORITHMS.map(async (algorithm) =>
      (await namesIn(join(directory, CONTENT, algorithm))).map((hex) => `${algorithm}:${hex}`),
    ),
  );
  const files = await Promise.all(
    digests.flat().map(async (digest) => {
      const path = pathIn(directory, digest);
      const info = await stat(path).catch(() => undefined);
      return info === undefined ? [] : [{ path, digest, size: info.size, usedAt: info.mtimeMs }];
    }),
  );
  return files.flat();
}

async function touch(file: ContentFile, uses: ReadonlyMap<string, number>): Promise<void> {
  const usedAt = uses.get(file.digest) ?? 0;
  if (usedAt <= file.usedAt) return;
  file.usedAt = usedAt;
  const time = new Date(usedAt);
  await utimes(file.path, time, time).catch(() => undefined);
}

async function removeNotes(directory: string): Promise<void> {
  const folder = join(directory, TAGS);
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const digest = parseTagNote(await readFile(path, 'utf8').catch(() => ''));
    // Looked at after the note was read: content comes before its note.
    const isThere = digest !== undefined && isContentDigest(digest) && existsSync(pathIn(directory, digest));
    if (!isThere) await rm(path, { force: true });
  }
}

async function removeAbandoned(folder: string, now: number): Promise<void> {
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (info !== undefined && now - info.mtimeMs > ABANDONED) await rm(path, { force: true });
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Folders that hold no policies though they hold YAML: test suites, builds, packages. */
const SKIPPED = new Set(['tests', 'node_modules', 'target', 'assembly', 'src']);

/**
 * Every file below a folder, sorted. Names that start with a dot are left out, which also leaves out the `..data` folders
 * of mounted ConfigMaps, whose files appear as links beside them. A folder that several links lead to is entered once: a few
 * links in a circle would make more paths than can be walked.
 */
export async function walkFiles(directory: string): Promise<string[]> {
  return (await walk(directory, new Set())).sort();
}

/** `entered`: device and number of folders. */
async function walk(directory: string, entered: Set<string>): Promise<string[]> {
  const { dev, ino } = await stat(directory, { bigint: true });
  const identity = `${dev} ${ino}`;
  if (entered.has(identity)) return [];
  entered.add(identity);
  const found: string[] = [];
  const entries = await readdir(directory, { withFileTypes: true });
  entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(directory, entry.name);
    // What is plain in the listing needs no look of its own; a link that leads nowhere, or no more, is not an error.
    const info = entry.isFile() || entry.isDirectory() ? entry : await followed(path);
    if (info?.isDirectory() && !SKIPPED.has(entry.name)) found.push(...(await walk(path, entered)));
    else if (info?.isFile()) found.push(path);
  }
  return found;
}

/** What a link leads to; undefined when that is not there. Anything else is unknown, which must not look like removed. */
async function followed(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw error;
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createDiskCache, type DiskCache } from '../../src/sources/disk-cache/create-disk-cache.ts';
import { createMemoryLog, type MemoryLog } from '../telemetry/memory-log.ts';

export interface TestCache {
  readonly cache: DiskCache;
  readonly directory: string;
  readonly log: MemoryLog;
  /** The clock on the wall; it stands. */
  readonly time: { now: number };
  /** Another process at the same folder. */
  other(maxBytes?: number): DiskCache;
}

/** A cache in a folder of its own, which the end of the test removes. */
export async function openTestCache(t: TestContext, maxBytes: number = 1024 ** 2): Promise<TestCache> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-cache-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const log = createMemoryLog();
  const time = { now: Date.now() };
  const open = (most: number): DiskCache =>
    createDiskCache({ directory, maxBytes: most, wall: () => time.now, log });
  return { cache: open(maxBytes), directory, log, time, other: (most = maxBytes) => open(most) };
}

import { watch, type FSWatcher } from 'node:fs';
import { inLanes } from '../../kernel/in-lanes.ts';
import { fileState } from '../file-state.ts';

export interface FileWatch {
  /** Folders in which every event counts as a change. */
  readonly directories: readonly string[];
  /** All files that matter now; asked at each check. */
  files(): Promise<readonly string[]>;
  /** Something may have changed; called as often as something happens, so that the caller knows when it is over. */
  changed(): void;
  /** Milliseconds between checks; they catch what events miss (network file systems, the link swap of mounted volumes). */
  readonly interval: number;
}

/** Files that are looked at at a time. */
const LANES = 16;

/** Calls `changed` after the set of files, or the identity, size or time of one of them, has changed. Returns the way to stop. */
export function watchFiles(watched: FileWatch): () => void {
  let known: string | undefined;
  let stopped = false;
  let checking = false;

  async function check(): Promise<void> {
    if (checking) return;
    checking = true;
    try {
      const seen = await fingerprint(watched);
      // The first look is told as well: something may have changed since the files were read.
      if (!stopped && seen !== known) watched.changed();
      known = seen;
    } finally {
      checking = false;
    }
  }

  const run = (): void => void check();
  run();
  const timer = setInterval(run, watched.interval);
  timer.unref();
  const happened = (): void => {
    if (!stopped) watched.changed();
  };
  const watchers = watched.directories
    .map((directory) => watchDirectory(directory, happened))
    .filter(isWatcher);

  return () => {
    stopped = true;
    clearInterval(timer);
    for (const watcher of watchers) watcher.close();
  };
}

async function fingerprint(watched: FileWatch): Promise<string> {
  const files = await watched.files().catch((error: unknown) => [`unreadable: ${String(error)}`]);
  const rows = await inLanes(files, LANES, async (file) => `${file} ${(await fileState(file)) ?? 'absent'}`);
  return rows.join('\n');
}

/** Events are a convenience; where they cannot be had the interval does it alone. */
function watchDirectory(directory: string, onEvent: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { recursive: true, persistent: false }, onEvent);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

function isWatcher(value: FSWatcher | undefined): value is FSWatcher {
  return value !== undefined;
}

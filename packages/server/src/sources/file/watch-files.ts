import { watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';

export interface FileWatch {
  /** Folders whose events make a check come at once. */
  readonly directories: readonly string[];
  /** All files that matter now; asked at each check. */
  files(): Promise<readonly string[]>;
  changed(): void;
  /** Milliseconds between checks; they catch what events miss (network file systems, the link swap of mounted volumes). */
  readonly interval: number;
}

/** Calls `changed` after the set of files, or the identity, size or time of one of them, has changed. Returns the way to stop. */
export function watchFiles(watched: FileWatch): () => void {
  let known: string | undefined;
  let stopped = false;
  let checking = false;
  let again = false;

  async function check(): Promise<void> {
    if (checking) {
      again = true;
      return;
    }
    checking = true;
    try {
      const seen = await fingerprint(watched);
      // The first look is told as well: something may have changed since the files were read.
      if (!stopped && seen !== known) watched.changed();
      known = seen;
    } finally {
      checking = false;
    }
    if (again && !stopped) {
      again = false;
      await check();
    }
  }

  const run = (): void => void check();
  run();
  const timer = setInterval(run, watched.interval);
  timer.unref();
  const watchers = watched.directories.map((directory) => watchDirectory(directory, run)).filter(isWatcher);

  return () => {
    stopped = true;
    clearInterval(timer);
    for (const watcher of watchers) watcher.close();
  };
}

async function fingerprint(watched: FileWatch): Promise<string> {
  const files = await watched.files().catch((error: unknown) => [`unreadable: ${String(error)}`]);
  const rows = await Promise.all(
    files.map(async (file) => {
      const info = await stat(file, { bigint: true }).catch(() => undefined);
      return info === undefined
        ? `${file} absent`
        : `${file} ${info.dev} ${info.ino} ${info.size} ${info.mtimeNs}`;
    }),
  );
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

import { watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { loadCertificate, type CertificateFiles } from './load-certificate.ts';
import type { Certificate } from './tls-material.ts';

export interface CertificateWatch {
  readonly files: CertificateFiles;
  /** The one in use. */
  readonly current: Certificate;
  /** Milliseconds between checks; they catch what file events miss. */
  readonly interval: number;
  readonly wall: () => number;
  readonly changed: (certificate: Certificate) => void;
  /** The new files cannot be used, and the old pair stays; undefined when that is over. Told once per problem. */
  readonly problem: (fault: Fault | undefined) => void;
}

export interface RunningCertificateWatch {
  /** Looks now; resolves when what was found is told. */
  check(): Promise<void>;
  stop(): void;
}

/** Events come in bursts, and a pair is written one file after the other. */
const SETTLE = 50;

/** Follows the contents of the files, through replaced files and replaced links (`..data` of mounted Secrets). */
export function watchCertificate(options: CertificateWatch): RunningCertificateWatch {
  const { files } = options;
  let { fingerprint } = options.current;
  let problem: string | undefined;
  let stopped = false;
  let queue: Promise<void> = Promise.resolve();
  let settling: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    if (stopped) return;
    const found = await loadCertificate(files, options.wall());
    if (stopped) return;
    const text = isFault(found) ? found.message : undefined;
    if (text !== problem) {
      problem = text;
      options.problem(isFault(found) ? found : undefined);
    }
    if (isFault(found) || found.fingerprint === fingerprint) return;
    fingerprint = found.fingerprint;
    options.changed(found);
  }

  const check = (): Promise<void> => (queue = queue.then(look));
  const soon = (): void => {
    settling ??= setTimeout(() => {
      settling = undefined;
      void check();
    }, SETTLE);
  };
  const timer = setInterval(() => void check(), options.interval).unref();
  const { certFile, keyFile = certFile, clientCaFiles = [] } = files;
  const paths = [certFile, keyFile, ...clientCaFiles];
  const watchers = [...new Set(paths.map((path) => dirname(path)))].flatMap((folder) =>
    watchFolder(folder, soon),
  );

  return {
    check,
    stop() {
      stopped = true;
      clearInterval(timer);
      clearTimeout(settling);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** The folder, not the file: a replaced file or link is another one, and a watch on the old one would stay silent. */
function watchFolder(folder: string, onEvent: () => void): readonly FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent);
    watcher.on('error', () => watcher.close());
    return [watcher];
  } catch {
    return [];
  }
}

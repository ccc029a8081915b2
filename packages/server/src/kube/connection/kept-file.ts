import { Fault, isFault } from '../../kernel/fault.ts';
import type { KubeHost } from '../kube-host.ts';

/** A file whose contents may change: rotated tokens, authorities and certificates. */
export interface KeptFile {
  /** Read at most once a minute, unless `fresh`. When it cannot be read any more the last contents stay. */
  read(fresh?: boolean): Promise<string | Fault>;
}

/** Milliseconds; as client-go does (transport/token_source.go). */
const PERIOD = 60_000;

export function createKeptFile(host: KubeHost, path: string): KeptFile {
  let contents: string | undefined;
  let readAt = 0;
  let running: Promise<string | Fault> | undefined;

  async function readNow(): Promise<string | Fault> {
    const found = await readFile(host, path);
    if (isFault(found)) {
      if (contents === undefined) return found;
      host.log.log('warn', 'a credential file cannot be read; its last contents stay in use', {
        file: path,
        reason: found.message,
      });
    } else {
      contents = found;
    }
    readAt = host.clock.now();
    return contents ?? found;
  }

  return {
    read(fresh = false) {
      if (!fresh && contents !== undefined && host.clock.now() - readAt < PERIOD) {
        return Promise.resolve(contents);
      }
      running ??= readNow().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

/** An empty file is one that is being written. */
async function readFile(host: KubeHost, path: string): Promise<string | Fault> {
  try {
    const text = await host.readFile(path);
    if (text.trim() !== '') return text;
    return new Fault('PC_KUBE_CREDENTIALS', `\`${path}\` is empty`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return new Fault('PC_KUBE_CREDENTIALS', `cannot read \`${path}\`: ${reason}`, { cause: error });
  }
}

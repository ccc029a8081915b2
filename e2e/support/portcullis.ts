import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChildProcess, tail, type Exit } from './child-process.ts';
import { waitUntil } from './wait-until.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'packages', 'server', 'src', 'cli', 'main.js');

export interface PortcullisOptions {
  /** Where the configuration and the log are written. */
  readonly directory: string;
  /** Names the files of this replica; default `portcullis`. */
  readonly name?: string;
  /** The configuration as YAML. It has to put the management listener on `managementPort` of 127.0.0.1, without TLS. */
  readonly config: string;
  readonly managementPort: number;
  /** More arguments after `serve --config FILE`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds until the start counts as failed; default 60 000. Zero: do not wait for readiness. */
  readonly readyWithin?: number;
}

export interface Portcullis {
  readonly pid: number;
  readonly managementUrl: string;
  readonly configPath: string;
  readonly logPath: string;
  readonly exited: Promise<Exit>;
  /** Whether `/readyz` answers 200 now; `false` when nothing answers within a second. */
  isReady(): Promise<boolean>;
  logs(): string;
  /** For example SIGHUP. */
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM; resolves when the server has drained and is gone. SIGKILL after `graceMs`, default 60 000. */
  stop(graceMs?: number): Promise<Exit>;
  kill(): Promise<Exit>;
}

/** Starts the real server as a child process, and waits until `/readyz` answers 200. */
export async function startPortcullis(options: PortcullisOptions): Promise<Portcullis> {
  const name = options.name ?? 'portcullis';
  const configPath = join(options.directory, `${name}.yaml`);
  const logPath = join(options.directory, `${name}.log`);
  const managementUrl = `http://127.0.0.1:${options.managementPort}`;
  await writeFile(configPath, options.config);
  const child = await startChildProcess({
    command: process.execPath,
    args: [MAIN, 'serve', '--config', configPath, ...(options.args ?? [])],
    // Modules of another run are none of its business either.
    env: { ...withoutOwnVariables(), XDG_CACHE_HOME: join(options.directory, 'cache'), ...options.env },
    logFile: logPath,
  });

  const isReady = async (): Promise<boolean> => {
    try {
      const answer = await fetch(`${managementUrl}/readyz`, { signal: AbortSignal.timeout(1000) });
      await answer.arrayBuffer();
      return answer.status === 200;
    } catch {
      return false;
    }
  };
  const within = options.readyWithin ?? 60_000;
  if (within > 0) {
    try {
      const outcome = await waitUntil(async () => child.exit() ?? (await isReady()), {
        what: `${name} to be ready`,
        within,
      });
      if (outcome !== true) throw new Error(`it ended with ${outcome.signal ?? `exit code ${outcome.code}`}`);
    } catch (error) {
      await child.kill();
      throw new Error(`${name} did not become ready; the end of its log:\n${tail(child.logs())}`, {
        cause: error,
      });
    }
  }
  return {
    pid: child.pid,
    managementUrl,
    configPath,
    logPath,
    exited: child.exited,
    isReady,
    logs: () => child.logs(),
    signal: (signal) => child.signal(signal),
    stop: (graceMs = 60_000) => child.stop(graceMs),
    kill: () => child.kill(),
  };
}

// Variables that begin with PORTCULLIS_ are configuration to the server; those of the test run are none of its business.
function withoutOwnVariables(): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) => name.startsWith('PORTCULLIS_'));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

import { spawn, type ChildProcess as NodeChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a process ended: `code` when it exited, `signal` when a signal ended it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Replaces or, with `undefined`, removes variables of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Process number that takes the signals, by that of the one that is started; default: the same. */
  readonly target?: (pid: number) => number;
  /** Standard output and error are appended here, in the order in which they were written. */
  readonly logFile: string;
}

export interface ChildProcess {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** `undefined` while it runs. */
  exit(): Exit | undefined;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL when it is still there after `graceMs` (default 20 000). */
  stop(graceMs?: number): Promise<Exit>;
  /** SIGKILL; resolves when the process is gone and its ports are free. */
  kill(): Promise<Exit>;
  /** Everything written so far. */
  logs(): string;
}

const living = new Map<NodeChildProcess, (signal: NodeJS.Signals) => void>();
let guarded = false;

/**
 * Starts a process that cannot outlive this one: it is killed when this process exits, by itself, by an uncaught error or
 * by a signal. Its standard input is a pipe that this process holds open, so a child that watches it also notices SIGKILL.
 */
export async function startChildProcess(options: ChildProcessOptions): Promise<ChildProcess> {
  guardExit();
  const log = openSync(options.logFile, 'a');
  // NODE_TEST_CONTEXT would turn a child that is Node.js into a reporter of this test run.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, ...options.env };
  const child = spawn(options.command, options.args, {
    env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  let ended: Exit | undefined;
  const send = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined || ended !== undefined) return;
    try {
      process.kill(options.target?.(child.pid) ?? child.pid, signal);
    } catch {
      // It has just ended.
    }
  };
  living.set(child, send);
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      living.delete(child);
      ended = { code, signal };
      resolve(ended);
    });
  });
  try {
    await new Promise((resolve, reject) => {
      child.once('spawn', () => resolve(undefined)).once('error', reject);
    });
  } catch (error) {
    living.delete(child);
    throw new Error(`cannot start \`${options.command}\``, { cause: error });
  }
  child.on('error', () => undefined);
  // A test that forgets a child must not hang the run; the guard kills it on exit.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.on('error', () => undefined).unref();

  const end = async (signal: NodeJS.Signals): Promise<Exit> => {
    if (ended === undefined) {
      child.ref();
      send(signal);
    }
    return exited;
  };
  return {
    pid: child.pid ?? 0,
    exited,
    exit: () => ended,
    signal: send,
    stop: async (graceMs = 20_000) => {
      const timer = new AbortController();
      const late = sleep(graceMs, undefined, { signal: timer.signal }).then(
        () => end('SIGKILL'),
        () => exited,
      );
      const exit = await Promise.race([end('SIGTERM'), late]);
      timer.abort();
      return exit;
    },
    kill: () => end('SIGKILL'),
    logs: () => readFileSync(options.logFile, 'utf8'),
  };
}

/** The last lines of a log, for an error message. */
export function tail(text: string, lines = 20): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

function guardExit(): void {
  if (guarded) return;
  guarded = true;
  process.on('exit', killAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      killAll();
      process.kill(process.pid, signal);
    });
  }
}

function killAll(): void {
  for (const send of living.values()) send('SIGKILL');
}

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = join(import.meta.dirname, '../../../src/cli/main.js');

export interface Served {
  readonly process: ChildProcess;
  /** Port of the gates. */
  readonly port: number;
  /** Origin of the management API. */
  readonly management: string;
  /** Log lines, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  readonly stdout: () => string;
  readonly exited: Promise<number | null>;
}

export interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** Variables that begin with PORTCULLIS_ are configuration; those of the test run are not meant. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PORTCULLIS_')));
}

function start(directory: string, args: readonly string[], command: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...command, ...args], { cwd: directory, env: environment() });
}

/** Runs `portcullis serve` until it says that it is ready. */
export async function serve(
  directory: string,
  args: readonly string[],
  command: readonly string[] = ['serve'],
): Promise<Served> {
  const child = start(directory, args, command);
  const log: Record<string, unknown>[] = [];
  let stdout = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const { promise: ready, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
    const entry = parse(line);
    log.push(entry);
    if (text(entry) === 'ready') resolve(entry);
  });
  void exited.then(() => reject(new Error(`it ended: ${JSON.stringify(log)}`)));
  const { gates, management } = await ready;
  return {
    process: child,
    port: Number(new URL(String(gates)).port),
    management: String(management),
    log,
    stdout: () => stdout,
    exited,
  };
}

/** Runs it where it has to refuse to start. */
export async function refusedServe(directory: string, args: readonly string[]): Promise<Ended> {
  const child = start(directory, args, ['serve']);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

function parse(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return { msg: line };
  }
}

/** pino calls the text `msg`. */
function text(entry: Readonly<Record<string, unknown>>): unknown {
  return entry['msg'];
}

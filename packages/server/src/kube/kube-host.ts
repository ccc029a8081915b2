import type { Clock, Logger } from '../kernel/ports.ts';

/** What the client and everything above it needs of the machine; every deadline is on the monotonic axis. */
export interface KubeRuntime {
  readonly clock: Clock;
  readonly log: Logger;
  /** At least 0, less than 1. */
  random(): number;
  /** Calls once after so many milliseconds; the answer cancels. */
  after(milliseconds: number, run: () => void): () => void;
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the environment of the process. */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface CommandOutcome {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
}

/** The runtime with files and commands: credentials need them. Both reject when the file or command cannot be used. */
export interface KubeHost extends KubeRuntime {
  readFile(path: string): Promise<string>;
  runCommand(command: Command): Promise<CommandOutcome>;
}

/** Waits; ends at once when the signal aborts. Resolves in both cases. */
export function pause(
  runtime: Pick<KubeRuntime, 'after'>,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = runtime.after(milliseconds, done);
  function done(): void {
    cancel();
    signal?.removeEventListener('abort', done);
    resolve();
  }
  signal?.addEventListener('abort', done);
  return promise;
}

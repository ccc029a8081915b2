/** What the layers above `app` may ask of the outside world. `app` passes real ones, tests small fakes. */
export interface Clock {
  /** Monotonic milliseconds with fractions; the axis of every deadline. */
  now(): number;
  /** Milliseconds since 1970. */
  wall(): number;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Fields are flat and never hold tokens, Secret content or request bodies. */
export interface Logger {
  enabled(level: LogLevel): boolean;
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Labels of a namespace; undefined when the namespace is not known. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined;

/** Resolves to whether a namespace is known, as soon as it is, or after so many milliseconds. */
export type NamespaceAppears = (namespace: string, patience: number) => Promise<boolean>;

/** What a client of something remote needs of the machine; every deadline is on the monotonic axis. */
export interface Runtime {
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
  /** What it reads; nothing when absent. */
  readonly input?: string;
}

export interface CommandOutcome {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
}

/** The runtime with files and commands: credentials need them. Both reject when the file or command cannot be used. */
export interface Host extends Runtime {
  readFile(path: string): Promise<string>;
  runCommand(command: Command): Promise<CommandOutcome>;
}

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

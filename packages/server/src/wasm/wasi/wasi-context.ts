import type { Clock, Logger } from '../../kernel/ports.ts';

/** What WASI functions exchange with one evaluation. */
export interface WasiContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** For log lines. */
  readonly policy: string;
  /** Pieces of standard input; absent: empty. */
  readonly stdin?: readonly Uint8Array[];
  /** Keeps standard output; absent: thrown away. */
  readonly stdout?: WasiOutput;
  /** Bytes of standard error so far. */
  stderrBytes: number;
  /** Bytes of standard input read so far. */
  stdinBytes: number;
}

export interface WasiOutput {
  /** False when it is full. */
  write(bytes: Uint8Array): boolean;
}

export function createWasiContext(given: Pick<WasiContext, 'clock' | 'log' | 'policy'>): WasiContext {
  return { ...given, stderrBytes: 0, stdinBytes: 0 };
}

import { randomFillSync } from 'node:crypto';
import type { Clock, Logger } from '../../kernel/ports.ts';

/** What one evaluation exchanges with its guest through WASI. Other contexts may extend it. */
export interface WasiContext {
  readonly wasi: WasiState;
}

export interface WasiState {
  readonly clock: Clock;
  readonly random: (bytes: Uint8Array) => void;
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

/** Bytes from pieces, each read once. */
export interface InputStream {
  readonly pieces: readonly Uint8Array[];
  piece: number;
  offset: number;
}

export interface OutputStream {
  /** Takes bytes that are valid only now; false when they are more than it may take. */
  take(bytes: Uint8Array): boolean;
}

export interface WasiOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Name for the log. */
  readonly policy: string;
  readonly stdin?: readonly Uint8Array[];
  /** Discarded when absent. */
  readonly stdout?: OutputStream;
  /** The debug log when absent, within bounds. */
  readonly stderr?: OutputStream;
  /** Cryptographic when absent. */
  readonly random?: (bytes: Uint8Array) => void;
}

const NO_PIECES: readonly Uint8Array[] = [];
const DISCARD: OutputStream = { take: () => true };

/** No arguments, no environment, no files. */
export function createWasiContext(options: WasiOptions): WasiContext {
  const { clock, log } = options;
  return {
    wasi: {
      clock,
      random: options.random ?? fillWithRandom,
      stdin: { pieces: options.stdin ?? NO_PIECES, piece: 0, offset: 0 },
      stdout: options.stdout ?? DISCARD,
      stderr: options.stderr ?? (log.enabled('debug') ? new DebugLog(log, options.policy) : DISCARD),
    },
  };
}

function fillWithRandom(bytes: Uint8Array): void {
  randomFillSync(bytes);
}

/** Collects output up to a cap. */
export class CollectedOutput implements OutputStream {
  readonly #limit: number;
  readonly #pieces: Uint8Array[] = [];
  length = 0;
  /** Something was refused: what the guest wanted to say is not known. */
  isIncomplete = false;

  /** `limit` in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  take(bytes: Uint8Array): boolean {
    if (this.length + bytes.length > this.#limit) {
      this.isIncomplete = true;
      return false;
    }
    if (bytes.length > 0) this.#pieces.push(bytes.slice());
    this.length += bytes.length;
    return true;
  }

  /** All that was written. */
  bytes(): Uint8Array {
    return this.#pieces.length === 1 ? (this.#pieces[0] as Uint8Array) : Buffer.concat(this.#pieces);
  }
}

/** Bytes of standard error that one evaluation may log; the rest is dropped. */
const MAX_STDERR_BYTES = 64 * 1024;

/** What guests write to standard error, each write a line. */
class DebugLog implements OutputStream {
  readonly #log: Logger;
  readonly #policy: string;
  #left = MAX_STDERR_BYTES;

  constructor(log: Logger, policy: string) {
    this.#log = log;
    this.#policy = policy;
  }

  take(bytes: Uint8Array): boolean {
    if (bytes.length === 0 || this.#left <= 0) return true;
    const line = Buffer.from(bytes.subarray(0, this.#left)).toString('utf8').trimEnd();
    this.#left -= bytes.length;
    this.#log.log('debug', line, { target: 'stderr', policy: this.#policy });
    return true;
  }
}

import { FAULTS, type FaultCode } from './faults/catalogue.ts';

export type { FaultCode };

export interface FaultOptions {
  /** Fields that a caller may read instead of the text. Never a secret, never a request body. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one error class. Inside the server it travels as a value (`T | Fault`); it is an `Error` so that `cause` chains
 * and stacks work when something does throw.
 */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: FaultCode, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.data = options.data ?? {};
  }

  /** What the user can do about it. */
  get advice(): string {
    return FAULTS[this.code].advice;
  }

  /** Turns whatever was thrown into a fault; a fault passes unchanged. The text of foreign errors is kept as cause only. */
  static from(thrown: unknown, code: FaultCode = 'PC_INTERNAL'): Fault {
    if (thrown instanceof Fault) return thrown;
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    return new Fault(code, text, { cause: thrown });
  }
}

export function isFault(value: unknown): value is Fault {
  return value instanceof Fault;
}

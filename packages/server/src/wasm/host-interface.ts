import type { GuestMemory } from './guest-memory.ts';
import type { FunctionType } from './module-info.ts';

/** Numbers for i32, f32 and f64, bigints for i64. */
export type GuestValue = number | bigint;

/** What a host function is given besides its arguments. */
export interface HostCall<T> {
  /** What the evaluation exchanges with its guest. */
  readonly context: T;
  readonly memory: GuestMemory;
  /** Monotonic milliseconds. */
  readonly deadline: number;
  /** Ends the evaluation: nothing that the guest does after this call returns counts, and it cannot catch it. */
  exit(code: number): void;
}

/**
 * One function that a guest may import. It checks every pointer and length that it is given and never throws. `call`
 * answers at once; `wait` suspends the guest until its promise is settled.
 */
export interface HostFunction<T> {
  readonly type: FunctionType;
  readonly call?: (call: HostCall<T>, ...values: never[]) => GuestValue | void;
  readonly wait?: (call: HostCall<T>, ...values: never[]) => Promise<GuestValue | void>;
}

/** All that the modules of one engine may import, by module and name. */
export type HostInterface<T> = Readonly<Record<string, Readonly<Record<string, HostFunction<T>>>>>;

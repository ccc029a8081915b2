import type { GuestMemory } from './guest-memory.ts';
import type { FunctionType } from './module-info.ts';

/**
 * A function that an engine offers to its guests; it has one of `call`, `callAsync`, `byAdapter`. It never throws for what a guest passes:
 * it answers in the way of its ABI. One that throws all the same ends the run with PC_INTERNAL.
 *
 * Arguments are numbers; those of type i64 are bigints: declare such functions with {@link hostFunction}.
 */
export interface HostFunction<T> {
  readonly type: FunctionType;
  readonly call?: (call: HostCall<T>, ...args: number[]) => number | void;
  /**
   * May wait: the guest is suspended until the promise is settled, or ended when its deadline passes first; then the instance is
   * not used again, so that a late writer writes nowhere. Views of memory made before an `await` are stale after it.
   */
  readonly callAsync?: (call: HostCall<T>, ...args: number[]) => Promise<number | void>;
  /** The adapter of the engine exports it under the same name; see {@link GuestAdapter}. */
  readonly byAdapter?: true;
}

/** By module and name. `T` is what one evaluation exchanges with its guest. */
export type HostInterface<T = never> = Readonly<Record<string, Readonly<Record<string, HostFunction<T>>>>>;

/** What a host function gets besides its arguments. Valid until it returns, or its promise is settled. */
export interface HostCall<T> {
  readonly context: T;
  readonly memory: GuestMemory;
  /** On the axis of `Clock.now()`. */
  readonly deadline: number;
  /**
   * Takes fuel for work that is not bounded by a small constant. Each call has paid 256 units by itself, one
   * that may wait 2^14 more, and `memory` takes the price of the bytes that it hands out; 1 unit is about 0.1 ns.
   */
  pay(fuel: number): void;
  /** Ends the guest, which cannot catch it: with 0 the run has no result, with another code it is PC_WASM_EXIT. */
  exit(code: number): never;
}

type NumberType = 'i32' | 'i64' | 'f32' | 'f64';
type Arguments<P extends readonly NumberType[]> = {
  -readonly [I in keyof P]: P[I] extends 'i64' ? bigint : number;
};

/** A host function whose arguments are typed after its parameters. */
export function hostFunction<T, const P extends readonly NumberType[]>(
  params: P,
  results: readonly [] | readonly ['i32'],
  call: (call: HostCall<T>, ...args: Arguments<P>) => number | void,
): HostFunction<T> {
  return { type: { params, results }, call: call as NonNullable<HostFunction<T>['call']> };
}

import type { RegoValue } from '../values/rego-value.ts';

/** What a builtin may use besides its arguments; one for each evaluation. */
export interface BuiltinContext {
  /**
   * Told before work that is more than a small constant, in units of about 100 ns; throws {@link BuiltinLimit} when there has
   * been too much.
   */
  charge(units: number): void;
  /** Nanoseconds since 1970, the same during one evaluation. */
  readonly now: bigint;
  /** Random bytes. */
  random(length: number): Uint8Array;
  /** What the policy wants to be logged. */
  print(text: string): void;
  /** For what must be the same at every call of one evaluation, by builtin and arguments. */
  readonly memory: Map<string, RegoValue>;
}

/** A host builtin: undefined where Rego's is. Fails by {@link BuiltinFailure}. */
export type Builtin = (args: readonly RegoValue[], context: BuiltinContext) => RegoValue | undefined;

/** Arguments that a builtin does not take: undefined, and an error under strict evaluation. */
export class BuiltinFailure extends Error {}

/** Work that nobody should wait for: ends the evaluation. */
export class BuiltinLimit extends Error {}

import type { Policy } from '@portcullis/contract';
import type { Engine, Evaluator } from '../engines/engine.ts';
import type { ExceptionMatcher } from '../policy/exceptions/exception-matcher.ts';
import type { Matcher } from '../policy/matcher.ts';

/** One policy on one thread, ready to be asked. */
export interface LoadedPolicy {
  readonly policy: Policy;
  readonly matcher: Matcher;
  /** Those that name this policy, in the order of their names. */
  readonly exceptions: readonly ExceptionMatcher[];
  readonly evaluator: Evaluator;
  readonly phrases: Engine['phrases'];
  readonly fingerprint: string;
  /** Of a group that is asked by name: its members, which can be asked alone. */
  readonly members?: ReadonlyMap<string, LoadedPolicy>;
}

import type { Verdict } from '@portcullis/contract';
import type { LoadedPolicy } from './loaded-policy.ts';

/** What one policy said to one review, before the chain makes anything of it. */
export interface Finding {
  readonly loaded: LoadedPolicy;
  readonly verdict: Verdict;
  /** Name of the exception that covers the review; only looked for where it makes a difference. */
  readonly exception?: string;
  /** Fields that stayed although the policy did not return them. */
  readonly keptFields?: number;
  readonly durationMs: number;
  readonly fuel: number;
  readonly memoryBytes: number;
}

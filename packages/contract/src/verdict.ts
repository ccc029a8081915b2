import type { JsonPatch, JsonValue } from './json.ts';

/** What one policy said. There is no default: each outcome is built explicitly. */
export type Verdict = Allow | Deny | Abstain | Faulted;
export type Outcome = Verdict['outcome'];

export interface Allow extends Remarks {
  readonly outcome: 'allow';
  readonly message?: string;
  readonly mutation?: Mutation;
}

export interface Deny extends Remarks {
  readonly outcome: 'deny';
  /** Never empty. */
  readonly message: string;
  /** Machine code, such as `PolicyViolation`. */
  readonly reason?: string;
  /** HTTP status of the denial; 403 when absent, 422 when there are causes. */
  readonly code?: number;
  readonly causes: readonly Cause[];
}

/** Authorization only: no opinion. */
export interface Abstain extends Remarks {
  readonly outcome: 'abstain';
}

/** The policy could not answer; its failure policy decides. */
export interface Faulted {
  readonly outcome: 'fault';
  /** A stable `PC_…` code. */
  readonly code: string;
  /** In the words of the engine's dialect; shown to the client. */
  readonly message: string;
}

export interface Remarks {
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/** One violated rule. */
export interface Cause {
  readonly field?: string;
  readonly message: string;
  /** The rule's type: `Required`, `Invalid`, …; an open string. */
  readonly reason?: string;
  readonly value?: JsonValue;
}

/** Either the operations or the complete new object, which the chain turns into operations. */
export type Mutation = { readonly patch: JsonPatch } | { readonly object: JsonValue };

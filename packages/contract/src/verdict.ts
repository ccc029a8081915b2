import type { JsonPatch, JsonValue } from './json.ts';
import type { UserInfo } from './review.ts';

/** What one policy said. There is no default: each outcome is built explicitly. */
export type Verdict = Allow | Deny | Abstain | Faulted;
export type Outcome = Verdict['outcome'];

export interface Allow extends Remarks {
  readonly outcome: 'allow';
  readonly message?: string;
  /** What a policy gives with it; told where a protocol has a place for it. */
  readonly code?: number;
  readonly mutation?: Mutation;
  /** Authentication: who holds the token; there in every allow of that gate. */
  readonly user?: UserInfo;
  /** Authentication: the audiences that the token is good for, as the policy says; absent: those of the server. */
  readonly audiences?: readonly string[];
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

/** Authentication and authorization only: no opinion, others are asked. */
export interface Abstain extends Remarks {
  readonly outcome: 'abstain';
  readonly message?: string;
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
  /** Authorization: what went wrong beside the verdict, which stands all the same (`evaluationError`). */
  readonly error?: string;
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

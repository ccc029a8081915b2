import type { JsonPatch } from './json.ts';
import type { FailurePolicy, GateName, Mode, Operation, Phase } from './policy.ts';
import type { GroupVersionKind, GroupVersionResource, UserInfo } from './review.ts';
import type { Cause, Outcome } from './verdict.ts';

/** What the whole chain said to one review. */
export interface Decision {
  /** Abstain: only of authentication, nobody knows the token, and of authorization, nobody has an opinion. */
  readonly outcome: 'allow' | 'deny' | 'abstain';
  /** Denial: all denials of the review in one text. Authorization: the reason of any outcome. */
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly causes: readonly Cause[];
  readonly warnings: readonly string[];
  /** Canonical keys: `<policy>/<key>`. The gate turns them into the legal form of its protocol. */
  readonly auditAnnotations: Readonly<Record<string, string>>;
  /** Mutating phase only; absent when nothing changed. */
  readonly patch?: JsonPatch;
  /** Authentication: who holds the token; there in every allow of that gate. */
  readonly user?: UserInfo;
  /** Authentication: what the token is good for, of what was asked for; absent: what it is for the API server. */
  readonly audiences?: readonly string[];
  /** Authentication and authorization: what went wrong, for the error of the protocol. */
  readonly error?: string;
  readonly contributions: readonly Contribution[];
  /** Of a policy that was asked by its name: what it said itself. */
  readonly named?: NamedAnswer;
  /** Revision of the policy set that decided. */
  readonly revision: number;
}

/** What a policy said that was asked by its name, before mode and message. */
export interface NamedAnswer {
  /** The path on which it was asked. */
  readonly origin: 'validate' | 'audit' | 'validate_raw';
  readonly accepted: boolean;
  readonly mutated: boolean;
  readonly code?: number;
}

/** The part of one policy in a decision. */
export interface Contribution {
  readonly policy: string;
  readonly outcome: Outcome;
  readonly mode: Mode;
  readonly failurePolicy: FailurePolicy;
  /** The exception that kept a denial, or a change, from taking effect. */
  readonly exception?: string;
  /** Denial or fault text of the policy itself. */
  readonly message?: string;
  /** Fault code, when the outcome is `fault`. */
  readonly fault?: string;
  /** Fields that a mutating policy did not return and that stayed all the same; absent: none. */
  readonly keptFields?: number;
  readonly durationMs: number;
  readonly fuel: number;
  readonly memoryBytes: number;
}

/** What is kept and shown of a decision: no object, no token, no Secret content. */
export interface DecisionRecord {
  /** Wall clock, milliseconds since 1970. */
  readonly time: number;
  readonly gate: GateName;
  readonly phase: Phase;
  readonly uid: string;
  readonly operation: Operation;
  readonly kind: GroupVersionKind;
  readonly resource: GroupVersionResource;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** Authentication: who the token turned out to be, `""` when nobody. */
  readonly user: string;
  /** Authorization. */
  readonly verb?: string;
  /** Authorization of what is no resource. */
  readonly path?: string;
  readonly dryRun: boolean;
  readonly outcome: Decision['outcome'] | 'unknown';
  readonly message?: string;
  readonly patched: boolean;
  readonly warnings: number;
  readonly auditAnnotations: Readonly<Record<string, string>>;
  readonly contributions: readonly Contribution[];
  readonly named?: NamedAnswer;
  readonly revision: number;
  readonly durationMs: number;
  /** W3C trace context that the caller sent. */
  readonly traceParent?: string;
}

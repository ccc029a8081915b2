import type { DecisionRecord, ExceptionStatus, JsonObject, Policy, PolicyStatus } from '@portcullis/contract';
import type { Fault } from '../kernel/fault.ts';

/** What the management API may ask of the server; `app` implements it. */
export interface ControlPlane {
  /** Everything known, refused documents included, sorted by name. */
  policies(): readonly PolicyView[];
  policy(name: string): PolicyView | undefined;
  /** Builds the set with the policy and resolves when it is in force; a fault leaves everything as it was. */
  put(policy: Policy): Promise<{ readonly created: boolean; readonly view: PolicyView } | Fault>;
  /** Only policies that came through the API; others are PC_CONFLICT, unknown ones PC_NOT_FOUND. */
  remove(name: string): Promise<undefined | Fault>;
  exceptions(): readonly ExceptionStatus[];
  decisions(filter: DecisionFilter): readonly DecisionRecord[];
  /** Effective configuration, secrets redacted. */
  configuration(): JsonObject;
  readiness(): Readiness;
  status(): ServerStatus;
  /** Prometheus text format. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  audit(entry: AuditEntry): void;
}

export interface PolicyView {
  readonly name: string;
  /** The policy in force; absent when it never loaded. */
  readonly policy?: Policy;
  readonly status: PolicyStatus;
}

export interface DecisionFilter {
  readonly policy?: string;
  readonly outcome?: 'allow' | 'deny' | 'abstain';
  readonly namespace?: string;
  readonly uid?: string;
  /** Contributions with a fault only. */
  readonly faulted?: boolean;
  readonly since?: number;
  readonly limit: number;
}

export interface Readiness {
  readonly ready: boolean;
  /** Each with its reason when it fails. */
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly message?: string }[];
}

export interface ServerStatus {
  readonly version: string;
  readonly startedAt: number;
  /** Newest revision built, and the lowest one that every gate thread has acknowledged. */
  readonly revision: { readonly built: number; readonly inForce: number };
  readonly threads: { readonly alive: number; readonly replaced: number };
  readonly lastReload?: { readonly time: number; readonly problems: readonly string[] };
  readonly certificates: readonly { readonly name: string; readonly notAfter: number }[];
  /** Absent without a cluster. */
  readonly kubernetes?: KubernetesStatus;
}

/** What a server in a cluster follows there, and who does what only one may do. */
export interface KubernetesStatus {
  readonly server: string;
  readonly identity: string;
  /** Who holds the lease, as far as is known. */
  readonly leader?: string;
  readonly watches: readonly {
    readonly name: string;
    readonly phase: string;
    readonly synced: boolean;
    readonly items: number;
    /** Since the last proof of life. */
    readonly stalenessMs?: number;
    readonly problem?: string;
  }[];
  /** Absent when the server does not register webhooks. */
  readonly registration?: {
    readonly state: string;
    readonly repairs: number;
    readonly notes: readonly {
      readonly policy: string;
      readonly level: 'info' | 'warning';
      readonly text: string;
    }[];
    readonly problem?: string;
  };
}

/** Who changed what through the management API. */
export interface AuditEntry {
  readonly action: 'policy.put' | 'policy.delete';
  readonly name: string;
  readonly token: string;
  /** `ok`, or a fault code. */
  readonly result: string;
}

import type { EngineName, Policy } from '@portcullis/contract';

/**
 * An immutable, numbered snapshot of everything that is in force, as the control thread builds it and as one message carries
 * it to the gate threads. Structured-cloneable.
 */
export interface PolicySet {
  /** 1 for the first one, then one more for each. */
  readonly revision: number;
  /** Sorted by phase, order and name. */
  readonly policies: readonly PreparedPolicy[];
  /** What engines compiled, by {@link PreparedPolicy.module}; policies with the same bytes share one. */
  readonly modules: ReadonlyMap<string, object>;
}

export interface PreparedPolicy {
  readonly policy: Policy;
  readonly engine: EngineName;
  /** Key into `modules`: engine and digest. */
  readonly module: string;
  /** Digest over the document and the module: equal means nothing changed and what is open can stay open. */
  readonly fingerprint: string;
}

import type { EngineName, Policy, PolicyException } from '@portcullis/contract';
import type { FaultCode } from '../kernel/fault.ts';

/** An immutable, numbered snapshot of everything that is in force, as the control thread builds it. */
export interface PolicySet {
  /** 1 for the first one, then one more for each. */
  readonly revision: number;
  /** In the order of {@link compareOrder}. */
  readonly policies: readonly PreparedPolicy[];
  /** By name. */
  readonly exceptions: readonly PolicyException[];
  /** What engines compiled, by {@link PreparedProgram.module}; policies with the same bytes share one. */
  readonly modules: ReadonlyMap<string, object>;
}

export interface PreparedPolicy {
  readonly policy: Policy;
  /** One, or those of a group's members, in their order; none when it stands in. */
  readonly programs: readonly PreparedProgram[];
  /** Why nothing of the policy was ever loaded: its failure policy decides about whatever it matches. */
  readonly unloadable?: { readonly code: FaultCode; readonly message: string };
  /**
   * Digest over the document and the module, unique in a set: equal means nothing changed and what is open can stay open.
   */
  readonly fingerprint: string;
}

/** How the code of a policy is run. */
export interface PreparedProgram {
  readonly engine: EngineName;
  /** Key into `modules`: engine and digest. */
  readonly module: string;
}

/** By order, ties by name, which is unique. */
export function compareOrder({ policy: left }: PreparedPolicy, { policy: right }: PreparedPolicy): number {
  return left.spec.order - right.spec.order || (left.metadata.name < right.metadata.name ? -1 : 1);
}

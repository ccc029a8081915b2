/** How one policy stands, as the management API and readiness tell it. */
export interface PolicyStatus {
  readonly name: string;
  readonly state: 'loaded' | 'refused' | 'disabled';
  /** Refused: the newest document is broken; `lastGood` says whether an older one is in force. */
  readonly lastGood: boolean;
  /** Refused, and nothing of it was ever loaded: its failure policy decides about whatever it matches. */
  readonly standsIn: boolean;
  /** Asked only by requests that name it, as in the place of Kubewarden's policy-server. */
  readonly named?: boolean;
  readonly problem?: { readonly code: string; readonly message: string };
  readonly warnings: readonly string[];
  readonly origin: string;
  readonly engine?: string;
  readonly digest?: string;
  readonly moduleBytes?: number;
  /** Newest first, at most ten. */
  readonly lastFaults: readonly {
    readonly time: number;
    readonly code: string;
    readonly message: string;
    readonly uid: string;
  }[];
}

/** How one exception stands. */
export interface ExceptionStatus {
  readonly name: string;
  /** `refused`: it was never good. With a `problem` the newest document is broken and an older one counts. */
  readonly state: 'active' | 'expired' | 'refused';
  readonly origin: string;
  readonly policies?: readonly string[];
  /** Milliseconds since 1970. */
  readonly expires?: number | 'never';
  readonly reason?: string;
  readonly problem?: { readonly code: string; readonly message: string };
}

/** How one policy stands, as the management API and readiness tell it. */
export interface PolicyStatus {
  readonly name: string;
  readonly state: 'loaded' | 'refused' | 'disabled';
  /** Refused: the newest document is broken; `lastGood` says whether an older one is in force. */
  readonly lastGood: boolean;
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

import type { PolicyStatus } from '@portcullis/contract';

/** How the server stands at the moment of a scrape. Times in milliseconds since 1970. */
export interface ServerReading {
  readonly policies: readonly PolicyStatus[];
  /** Newest revision built. */
  readonly built: number;
  readonly threads: {
    readonly wanted: number;
    readonly alive: number;
    readonly replaced: number;
    /** Lowest revision that every thread decides by. */
    readonly revision: number;
  };
  readonly reloadFailures: number;
  /** Absent before the first. */
  readonly lastReload?: number;
  readonly certificates: readonly {
    readonly name: string;
    readonly notAfter: number;
    readonly succeeded: number;
    readonly failed: number;
  }[];
}

import type { ExceptionStatus, PolicyStatus } from '@portcullis/contract';

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
  readonly exceptions: readonly ExceptionStatus['state'][];
  /** Absent when modules are not kept on disk. */
  readonly moduleCache?: ModuleCacheReading;
  /** Absent without a cluster. */
  readonly cluster?: ClusterReading;
}

export interface ModuleCacheReading {
  readonly hits: number;
  readonly misses: number;
  readonly damaged: number;
  readonly failedWrites: number;
  readonly bytes: number;
}

export interface ClusterReading {
  readonly leading: boolean;
  readonly watches: readonly {
    readonly name: string;
    readonly synced: boolean;
    readonly items: number;
    /** Milliseconds since the last proof of life; undefined before the first. */
    readonly staleness: number | undefined;
    readonly restarts: readonly (readonly [reason: string, count: number])[];
  }[];
  /** Undefined when the server does not register webhooks. */
  readonly registration: string | undefined;
  readonly repairs: number;
  readonly statusFailures: number;
  readonly droppedEvents: number;
}

/** What the load generator is told, and what it answers. */
export interface LoadOrder {
  readonly port: number;
  /** Default `/admission/validate`. */
  readonly path?: string;
  readonly body: string;
  readonly connections: number;
  /** Milliseconds that count. */
  readonly duration: number;
  /** Milliseconds before that; their requests are checked and not counted. */
  readonly warmUp?: number;
  /** What every answer has to say; anything else is an error. */
  readonly allowed?: boolean;
  /** Text that every answer has to hold, in place of `allowed`. */
  readonly expected?: string;
  /** Requests per second over all connections; absent: as fast as the answers come. */
  readonly rate?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  /** Milliseconds from when the request was due to the end of its answer. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly errors: number;
  /** What the first error was. */
  readonly firstError?: string;
  /** Share of one core that the generator itself took: near 1 it measures itself. */
  readonly ownLoad: number;
}

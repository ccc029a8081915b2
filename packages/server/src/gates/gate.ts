/** One request to a gate, as the listener has read it. */
export interface GateRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** What follows the `?`, or `""`. */
  readonly query: string;
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
  /** The moment at which the head of the request had arrived, on the clock's monotonic axis. */
  readonly received: number;
  /** W3C trace context. */
  readonly traceParent?: string;
}

export interface GateResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A protocol front: no sockets, never rejects. */
export type Gate = (request: GateRequest) => Promise<GateResponse>;

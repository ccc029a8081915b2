import type { FaultCode } from '../../kernel/fault.ts';
import { http } from '../../kernel/node-http.ts';
import type { Gate, GateResponse } from '../../gates/gate.ts';
import { LoadGauge } from './load-gauge.ts';
import type { RequestHead } from './parse-request-head.ts';
import {
  BROKEN,
  CLOSE,
  refusalResponse,
  tooLarge,
  UNKNOWN_PATH,
  WRONG_METHOD,
  type Refusal,
} from './refusal.ts';

export interface ReviewIntakeOptions {
  readonly limits: {
    readonly maxBodyBytes: number;
    readonly maxBufferedBytes: number;
    readonly maxConcurrentReviews: number;
  };
  readonly gate: Gate;
  /** Whether the gate has this path; the body of a request to another one is not read. */
  readonly knows: (path: string) => boolean;
  /** A request that never reached the gate. */
  readonly refused: (code: FaultCode, path: string) => void;
  /** The gate broke its promise not to reject. */
  readonly failed: (error: unknown) => void;
}

/** A request that is whole. */
export interface ReceivedRequest {
  readonly head: RequestHead;
  readonly body: Buffer;
  /** Monotonic milliseconds at which the head had come. */
  readonly received: number;
}

/** What a gate thread takes on and what it answers, however the bytes of a request were read. */
export class ReviewIntake {
  readonly gauge: LoadGauge;
  readonly #options: ReviewIntakeOptions;
  #ending = false;

  constructor(options: ReviewIntakeOptions) {
    const { maxConcurrentReviews: maxRequests, maxBufferedBytes: maxBytes } = options.limits;
    this.gauge = new LoadGauge({ maxRequests, maxBytes });
    this.#options = options;
  }

  /** From now on every answer ends its connection. */
  endConnections(): void {
    this.#ending = true;
  }

  /** What can be said before the body is read. */
  check({ path, method, contentLength }: RequestHead): Refusal | undefined {
    const { limits, knows } = this.#options;
    if (!knows(path)) return UNKNOWN_PATH;
    if (method !== 'POST') return WRONG_METHOD;
    return contentLength > limits.maxBodyBytes ? tooLarge(limits.maxBodyBytes) : undefined;
  }

  /** Never rejects. */
  async answer({ head, body, received }: ReceivedRequest): Promise<GateResponse> {
    const { method, path, query, contentType, traceParent } = head;
    try {
      const response = await this.#options.gate({
        method,
        path,
        query,
        contentType,
        body,
        received,
        ...(traceParent === undefined ? undefined : { traceParent }),
      });
      for (const name in response.headers) http.validateHeaderValue(name, response.headers[name] ?? '');
      return this.#last(response);
    } catch (error) {
      this.#options.failed(error);
      return this.refuse(BROKEN, path);
    }
  }

  refuse(refusal: Refusal, path: string): GateResponse {
    this.#options.refused(refusal.fault.code, path);
    return this.#last(refusalResponse(refusal, path));
  }

  #last(response: GateResponse): GateResponse {
    return this.#ending ? { ...response, headers: { ...response.headers, ...CLOSE } } : response;
  }
}

/** Whether this answer is the last one of its connection. */
export function endsConnection({ headers }: GateResponse): boolean {
  return headers['connection'] === CLOSE.connection;
}

import type { ServerResponse } from 'node:http';
import type { Fault } from '../../kernel/fault.ts';

/** Answers that never reached a gate. */
export interface Refusal {
  readonly status: number;
  readonly fault: Fault;
  readonly headers?: readonly string[];
}

/** One JSON document with the code, what happened and what to do. */
export function writeRefusal(response: ServerResponse, { status, fault, headers = [] }: Refusal): void {
  const body = JSON.stringify({ status, code: fault.code, detail: fault.message, advice: fault.advice });
  response.writeHead(status, [
    'content-type',
    'application/problem+json',
    'content-length',
    String(Buffer.byteLength(body)),
    ...headers,
  ]);
  response.end(body);
}

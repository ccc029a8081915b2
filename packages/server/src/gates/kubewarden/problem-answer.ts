import type { Fault, FaultCode } from '../../kernel/fault.ts';
import type { GateResponse } from '../gate.ts';
import { JSON_HEADERS } from '../json-request.ts';
import type { KubewardenQuestion } from './kubewarden-route.ts';

const UNPROCESSABLE = 422;
const STATUSES: Readonly<Partial<Record<FaultCode, number>>> = {
  PC_REVIEW_EMPTY: 400,
  PC_REVIEW_JSON: 400,
  PC_REVIEW_ENCODING: 400,
  PC_REVIEW_DEPTH: 400,
  PC_REVIEW_DUPLICATE_KEY: 400,
  PC_REVIEW_CONTENT_TYPE: 415,
  PC_REVIEW_SIZE: 413,
  PC_NOT_FOUND: 404,
  PC_METHOD: 405,
  PC_OVERLOAD: 429,
  PC_NOT_READY: 503,
  PC_INTERNAL: 500,
};
/** How the policy-server begins to say it; by status. */
const PREFIXES: Readonly<Record<number, string>> = {
  400: 'Failed to parse the request body as JSON: ',
  422: 'Failed to deserialize the JSON body into the target type: ',
};
const HEADERS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  405: { allow: 'POST' },
  429: { 'retry-after': '1' },
  503: { 'retry-after': '1' },
};

/** The answer to what was not judged: never 200, never an allow. In JSON where the policy-server writes JSON. */
export function problemAnswer(fault: Fault, question: KubewardenQuestion): GateResponse {
  const status = STATUSES[fault.code] ?? UNPROCESSABLE;
  const message = messageOf(fault, status);
  const headers = HEADERS[status] ?? {};
  const isText = question !== 'validate' && [400, 413, 415, UNPROCESSABLE].includes(status);
  if (isText)
    return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body: message };
  return { status, headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify({ message, status }) };
}

function messageOf({ code, message }: Fault, status: number): string {
  // What an unforeseen error says is for the log: it may quote anything.
  if (code === 'PC_INTERNAL') return 'Something went wrong';
  if (code === 'PC_REVIEW_CONTENT_TYPE') return 'Expected request with `Content-Type: application/json`';
  return `${PREFIXES[status] ?? ''}${message}`;
}

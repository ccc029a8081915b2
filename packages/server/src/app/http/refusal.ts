import type { GateResponse } from '../../gates/gate.ts';
import { kubewardenRoute } from '../../gates/kubewarden/kubewarden-route.ts';
import { problemAnswer } from '../../gates/kubewarden/problem-answer.ts';
import { Fault } from '../../kernel/fault.ts';

/** Why a request never reached a gate. */
export interface Refusal {
  readonly status: number;
  readonly fault: Fault;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One JSON document with the code, what happened and what to do; on the paths of Kubewarden's policy-server as it says it. */
export function refusalResponse({ status, fault, headers }: Refusal, path: string): GateResponse {
  const route = kubewardenRoute(path);
  if (route !== undefined) {
    const problem = problemAnswer(fault, route.question);
    return { ...problem, headers: { ...problem.headers, ...headers } };
  }
  const { code, message, advice } = fault;
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: JSON.stringify({ status, code, detail: message, advice }),
  };
}

export const CLOSE = { connection: 'close' } as const;
/** An API server takes it as an invitation to try again inside its own timeout. */
const RETRY = { 'retry-after': '1' } as const;

export const UNKNOWN_PATH: Refusal = {
  status: 404,
  fault: new Fault(
    'PC_NOT_FOUND',
    'there is no gate at this path; reviews go to `/admission/validate`, `/admission/mutate`, `/authentication` or `/authorization`',
  ),
};
export const WRONG_METHOD: Refusal = {
  status: 405,
  fault: new Fault('PC_METHOD', 'a gate takes only POST'),
  headers: { allow: 'POST' },
};
export const OVERLOADED: Refusal = {
  status: 429,
  fault: new Fault('PC_OVERLOAD', 'too many reviews are under way'),
  headers: RETRY,
};
export const OVERFLOWN: Refusal = {
  status: 429,
  fault: new Fault('PC_OVERLOAD', 'too many connections are open'),
  headers: { ...RETRY, ...CLOSE },
};
export const BROKEN: Refusal = {
  status: 500,
  fault: new Fault('PC_INTERNAL', 'the review could not be answered'),
};

export function tooLarge(limit: number): Refusal {
  return { status: 413, fault: new Fault('PC_REVIEW_SIZE', `the body is larger than ${limit} bytes`) };
}

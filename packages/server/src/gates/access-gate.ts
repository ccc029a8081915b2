import type { Decision, GateName, Review } from '@portcullis/contract';
import type { Asking } from '../chain/chain.ts';
import { Fault, isFault, type FaultCode } from '../kernel/fault.ts';
import type { Logger } from '../kernel/ports.ts';
import type { Gate, GateRequest, GateResponse } from './gate.ts';
import { checkJsonRequest, JSON_HEADERS } from './json-request.ts';
import { kindOfError } from './kind-of-error.ts';
import { refusalStatus } from './refusal-status.ts';
import { timeoutOf } from './webhook-timeout.ts';

export interface AccessGateOptions {
  readonly log: Logger;
  /** An id for a review, which has none of its own; appears in logs and records. */
  readonly createUid: () => string;
  /** Hears of requests that never became a decision. */
  readonly refused?: (code: FaultCode) => void;
}

/** What the webhooks of authentication and authorization do not share. `P`: a review as it was read. */
export interface AccessProtocol<P extends { readonly review: Review }> {
  readonly gate: GateName;
  parse(body: Uint8Array, context: { readonly uid: string; readonly deadline: number }): P | Fault;
  decide(parsed: P, asking: Asking): Promise<Decision | Fault>;
  encode(decision: Decision, parsed: P): string;
  /** The review that says what is wrong, for a request that was not decided. */
  refusal(message: string): string;
}

/** The API server refuses headers above 1 MiB, so that no user or token has more. */
const MAX_BODY_BYTES = 1024 * 1024;
const NAME = /^\/([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)$/;

/** All policies of the gate, or the one that is named. */
export interface AccessRoute {
  readonly policy?: string;
}

/** `/authentication` or `/authorization`, or the name of one policy behind it. Undefined for a path that is not this gate's. */
export function accessRoute(gate: GateName, path: string): AccessRoute | undefined {
  if (path === `/${gate}`) return {};
  if (!path.startsWith(`/${gate}/`)) return undefined;
  const policy = NAME.exec(path.slice(gate.length + 1))?.[1];
  return policy === undefined ? undefined : { policy };
}

/**
 * A webhook that lets nobody in by default. What was not decided has the status of an error: the API server then does what it is
 * configured to do without us, and forgets the answer.
 */
export function createAccessGate<P extends { readonly review: Review }>(
  protocol: AccessProtocol<P>,
  { log, createUid, refused }: AccessGateOptions,
): Gate {
  function refuse(fault: Fault): GateResponse {
    refused?.(fault.code);
    const [status] = refusalStatus(fault.code);
    // What an unforeseen error says is for nobody: it may quote anything.
    const text = fault.code === 'PC_INTERNAL' ? 'internal error of the policy server' : fault.message;
    const headers = fault.code === 'PC_METHOD' ? { ...JSON_HEADERS, allow: 'POST' } : JSON_HEADERS;
    return { status, headers, body: protocol.refusal(`${fault.code}: ${text}; ${fault.advice}`) };
  }

  function read(request: GateRequest): P | Fault {
    if (request.method !== 'POST') return new Fault('PC_METHOD', 'reviews are sent with POST');
    const unfit = checkJsonRequest(request, MAX_BODY_BYTES);
    if (unfit !== undefined) return unfit;
    const deadline = request.received + timeoutOf(request.query);
    return protocol.parse(request.body, { uid: createUid(), deadline });
  }

  async function answer(request: GateRequest, route: AccessRoute): Promise<GateResponse> {
    const { traceParent } = request;
    const parsed = read(request);
    if (isFault(parsed)) return refuse(parsed);
    const asking = { ...route, ...(traceParent === undefined ? {} : { traceParent }) };
    const decision = await protocol.decide(parsed, asking);
    if (isFault(decision)) return refuse(decision);
    return { status: 200, headers: JSON_HEADERS, body: protocol.encode(decision, parsed) };
  }

  return async (request) => {
    const route = accessRoute(protocol.gate, request.path);
    if (route === undefined) return refuse(new Fault('PC_NOT_FOUND', 'there is no webhook under this path'));
    try {
      return await answer(request, route);
    } catch (error) {
      const fault = new Fault('PC_INTERNAL', 'a review could not be decided');
      log.log('error', fault.message, { code: fault.code, gate: protocol.gate, error: kindOfError(error) });
      return refuse(fault);
    }
  };
}

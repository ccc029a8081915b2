import type { Decision, Review } from '@portcullis/contract';
import type { Chain } from '../../chain/chain.ts';
import { Fault, isFault, type FaultCode } from '../../kernel/fault.ts';
import type { Logger } from '../../kernel/ports.ts';
import type { Gate, GateRequest, GateResponse } from '../gate.ts';
import { checkJsonRequest, JSON_HEADERS } from '../json-request.ts';
import { kindOfError } from '../kind-of-error.ts';
import { timeoutOf } from '../webhook-timeout.ts';
import { createLane } from './audit-lane.ts';
import { encodeAnswer } from './encode-answer.ts';
import { finishNamed } from './finish-named.ts';
import { kubewardenRoute, type KubewardenRoute } from './kubewarden-route.ts';
import { parseRawReview } from './parse-raw-review.ts';
import { problemAnswer } from './problem-answer.ts';

export interface KubewardenGateOptions {
  readonly decide: Chain['decideNamed'];
  /** The review of an AdmissionReview, whose `apiVersion` and `kind` may be missing. */
  readonly parseReview: (body: Uint8Array, deadline: number) => Review | Fault;
  readonly log: Logger;
  readonly maxBodyBytes: number;
  /** Requests in this namespace are accepted, and nobody is asked. */
  readonly acceptNamespace?: string;
  /** Hears of requests that never became a decision. */
  readonly refused?: (code: FaultCode) => void;
}

/** Audits of one thread that run, and that wait, at a time. */
const AUDITS = { running: 2, waiting: 200 };

/** The paths of Kubewarden's policy-server, with its bodies and status codes. Whatever happens, nothing is allowed by default. */
export function createKubewardenGate(options: KubewardenGateOptions): Gate {
  const audits = createLane(AUDITS.running, AUDITS.waiting);

  return async (request) => {
    const route = kubewardenRoute(request.path);
    if (route === undefined) return refuse(new Fault('PC_NOT_FOUND', 'there is no policy under this path'));
    if (request.method !== 'POST') return refuse(new Fault('PC_METHOD', 'reviews are sent with POST'), route);
    if (route.policy.split('/').length > 2) {
      return refuse(new Fault('PC_INTERNAL', 'an id with two slashes'), route);
    }
    const review = read(request, route, options);
    if (isFault(review)) {
      options.refused?.(review.code);
      return refuse(review, route);
    }
    if (isAccepted(review, route)) {
      options.log.log('debug', 'accepted unasked: the namespace is exempt', {
        uid: review.uid,
        policy: route.policy,
      });
      return answered(review, ACCEPTED, route);
    }
    if (route.question !== 'audit') return judge(review, route, request);
    const turn = audits.run(() => judge(review, route, request));
    return turn ?? refuse(new Fault('PC_OVERLOAD', 'too many audits are waiting'), route);
  };

  function isAccepted({ namespace }: Review, { question }: KubewardenRoute): boolean {
    const { acceptNamespace } = options;
    return acceptNamespace !== undefined && question !== 'validate_raw' && namespace === acceptNamespace;
  }

  async function judge(
    review: Review,
    route: KubewardenRoute,
    { traceParent }: GateRequest,
  ): Promise<GateResponse> {
    try {
      const decision = await options.decide(review, {
        policy: route.policy,
        finish: (finding, revision) => finishNamed(finding, review, { question: route.question, revision }),
        ...(traceParent === undefined ? {} : { traceParent }),
      });
      if (!isFault(decision)) return answered(review, decision, route);
      options.refused?.(decision.code);
      return refuse(decision, route);
    } catch (error) {
      const fault = new Fault('PC_INTERNAL', 'a review could not be decided', { cause: error });
      options.log.log('error', fault.message, {
        code: fault.code,
        uid: review.uid,
        error: kindOfError(error),
      });
      return refuse(fault, route);
    }
  }
}

function read(
  request: GateRequest,
  { question }: KubewardenRoute,
  options: KubewardenGateOptions,
): Review | Fault {
  const unfit = checkJsonRequest(request, options.maxBodyBytes);
  if (unfit !== undefined) return unfit;
  const deadline = request.received + timeoutOf(request.query);
  return question === 'validate_raw'
    ? parseRawReview(request.body, deadline)
    : options.parseReview(request.body, deadline);
}

const ACCEPTED: Decision = {
  outcome: 'allow',
  causes: [],
  warnings: [],
  auditAnnotations: {},
  contributions: [],
  revision: 0,
};

function answered({ uid }: Review, decision: Decision, route: KubewardenRoute): GateResponse {
  return { status: 200, headers: JSON_HEADERS, body: encodeAnswer(uid, decision, route) };
}

function refuse(fault: Fault, route?: KubewardenRoute): GateResponse {
  return problemAnswer(fault, route?.question ?? 'validate');
}

import { Fault, isFault, type FaultCode } from '../../kernel/fault.ts';
import type { Logger } from '../../kernel/ports.ts';
import type { Chain } from '../../chain/chain.ts';
import type { Gate, GateRequest, GateResponse } from '../gate.ts';
import { checkJsonRequest, JSON_HEADERS } from '../json-request.ts';
import { kindOfError } from '../kind-of-error.ts';
import { timeoutOf } from '../webhook-timeout.ts';
import { type AdmissionRoute, admissionRoute } from './admission-route.ts';
import { encodeResponse } from './encode-response.ts';
import { parseAdmissionReview, type ParsedReview } from './parse-admission-review.ts';
import { refusal, reviewOf } from './refusal.ts';
import { withObject } from './with-object.ts';

export interface AdmissionGateOptions {
  readonly decide: Chain['decide'];
  readonly log: Logger;
  /** Two objects of 3 MiB and their envelope when absent. */
  readonly maxBodyBytes?: number;
  /** Hears of requests that never became a decision. */
  readonly refused?: (code: FaultCode) => void;
}

const MAX_BODY_BYTES = 7 * 1024 * 1024;

/** AdmissionReview v1 and v1beta1 on the paths of {@link admissionRoute}. Whatever happens, the answer is never an allow by default. */
export function createAdmissionGate(options: AdmissionGateOptions): Gate {
  const maxBodyBytes = options.maxBodyBytes ?? MAX_BODY_BYTES;
  return async (request) => {
    const route = admissionRoute(request.path);
    if (route === undefined) return refusal(new Fault('PC_NOT_FOUND', 'there is no webhook under this path'));
    if (request.method !== 'POST') {
      const refused = refusal(new Fault('PC_METHOD', 'reviews are sent with POST'));
      return { ...refused, headers: { ...refused.headers, allow: 'POST' } };
    }
    const parsed = read(request, maxBodyBytes);
    if (isFault(parsed)) {
      options.refused?.(parsed.code);
      return refusal(parsed, reviewOf(parsed));
    }
    return answer(options, request, route, parsed);
  };
}

function read(request: GateRequest, maxBodyBytes: number): ParsedReview | Fault {
  const unfit = checkJsonRequest(request, maxBodyBytes);
  if (unfit !== undefined) return unfit;
  return parseAdmissionReview(request.body, request.received + timeoutOf(request.query));
}

async function answer(
  { decide, log, refused }: AdmissionGateOptions,
  request: GateRequest,
  route: AdmissionRoute,
  parsed: ParsedReview,
): Promise<GateResponse> {
  const { review, apiVersion } = parsed;
  const identity = { uid: review.uid, apiVersion };
  try {
    const decision = await decide(review, {
      ...route,
      withObject,
      ...(request.traceParent === undefined ? {} : { traceParent: request.traceParent }),
    });
    if (isFault(decision)) {
      refused?.(decision.code);
      return refusal(decision, identity);
    }
    return { status: 200, headers: JSON_HEADERS, body: encodeResponse(decision, parsed, route.phase) };
  } catch (error) {
    const fault = new Fault('PC_INTERNAL', 'a review could not be decided', { cause: error });
    log.log('error', fault.message, { code: fault.code, uid: review.uid, error: kindOfError(error) });
    return refusal(fault, identity);
  }
}

import type { FaultCode } from '../kernel/fault.ts';

const STATUSES: Readonly<Partial<Record<FaultCode, readonly [number, string]>>> = {
  PC_REVIEW_SIZE: [413, 'RequestEntityTooLarge'],
  PC_REVIEW_CONTENT_TYPE: [415, 'UnsupportedMediaType'],
  PC_NOT_FOUND: [404, 'NotFound'],
  PC_METHOD: [405, 'MethodNotAllowed'],
  PC_OVERLOAD: [429, 'TooManyRequests'],
  PC_NOT_READY: [503, 'ServiceUnavailable'],
  PC_INTERNAL: [500, 'InternalError'],
};
const BAD_REQUEST = [400, 'BadRequest'] as const;

/** HTTP status of a request that was not decided, and the reason that Kubernetes has for it. */
export function refusalStatus(code: FaultCode): readonly [number, string] {
  return STATUSES[code] ?? BAD_REQUEST;
}

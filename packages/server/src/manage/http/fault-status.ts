import type { FaultCode } from '../../kernel/fault.ts';

/** HTTP statuses of the management API that do not follow from the area of a code. */
const STATUSES: Partial<Readonly<Record<FaultCode, number>>> = {
  PC_POLICY_SYNTAX: 400,
  PC_BODY: 400,
  PC_QUERY: 400,
  PC_AUTH_REQUIRED: 401,
  PC_AUTH_FORBIDDEN: 403,
  PC_NOT_FOUND: 404,
  PC_METHOD: 405,
  PC_CONFLICT: 409,
  PC_PRECONDITION: 412,
  PC_BODY_SIZE: 413,
  PC_BODY_TYPE: 415,
  PC_AUTH_ATTEMPTS: 429,
  PC_OVERLOAD: 503,
};

/** A policy that was understood and refused: bad document, module, or trial run. */
const REFUSED = /^PC_(?:POLICY|MODULE|WASM|PLUGIN)_/;

export function statusOfFault(code: FaultCode): number {
  return STATUSES[code] ?? (REFUSED.test(code) ? 422 : 500);
}

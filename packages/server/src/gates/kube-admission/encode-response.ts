import type { Cause, Decision, JsonPatch, Phase } from '@portcullis/contract';
import { stringifyExact } from '../../kernel/json/json-document.ts';
import { legalAnnotations } from './legal-annotations.ts';
import { legalWarnings } from './legal-warnings.ts';
import type { ParsedReview } from './parse-admission-review.ts';
import { toText } from '../single-line.ts';

/** Characters of a denial that reach the client; a guest could write megabytes. */
const MAX_MESSAGE = 32 * 1024;
const MAX_CAUSE = 1024;
const MAX_CAUSES = 100;
const FORBIDDEN = 403;
const UNPROCESSABLE = 422;

/** The AdmissionReview that answers a decided review, in the version that the review had. */
export function encodeResponse(decision: Decision, parsed: ParsedReview, phase: Phase): string {
  const { apiVersion, review } = parsed;
  const isAllowed = decision.outcome === 'allow';
  let response = `{"apiVersion":"${apiVersion}","kind":"AdmissionReview","response":{"uid":${JSON.stringify(review.uid)},"allowed":${isAllowed}`;
  if (!isAllowed) response += `,"status":${JSON.stringify(statusOf(decision))}`;
  if (isAllowed && phase === 'mutate') response += patchOf(decision.patch);
  if (decision.warnings.length > 0) response += warningsOf(decision.warnings);
  const annotations = legalAnnotations(decision.auditAnnotations);
  if (annotations !== undefined) response += `,"auditAnnotations":${JSON.stringify(annotations)}`;
  return `${response}}}`;
}

interface Status {
  readonly code: number;
  readonly message: string;
  readonly reason: string;
  readonly details?: { readonly causes: readonly object[] };
}

function statusOf(decision: Decision): Status {
  const { causes } = decision;
  const code = legalCode(decision.code) ?? (causes.length > 0 ? UNPROCESSABLE : FORBIDDEN);
  const message = toText(decision.message ?? '', MAX_MESSAGE).trim();
  return {
    code,
    message: message === '' ? 'Validation failed' : message,
    reason: toText(decision.reason ?? '', MAX_CAUSE) || (code === UNPROCESSABLE ? 'Invalid' : 'Forbidden'),
    ...(causes.length > 0 ? { details: { causes: causes.slice(0, MAX_CAUSES).map(causeOf) } } : {}),
  };
}

/** Below 400 the API server writes 400, and what is no HTTP status at all would reach the client. */
function legalCode(code: number | undefined): number | undefined {
  return code !== undefined && Number.isInteger(code) && code >= 400 && code <= 599 ? code : undefined;
}

function causeOf({ field, message, reason }: Cause): object {
  return {
    ...(reason === undefined ? {} : { reason: toText(reason, MAX_CAUSE) }),
    message: toText(message, MAX_CAUSE),
    ...(field === undefined ? {} : { field: toText(field, MAX_CAUSE) }),
  };
}

/** Both fields or neither, and neither where nothing changes. */
function patchOf(patch: JsonPatch | undefined): string {
  if (patch === undefined || patch.length === 0) return '';
  const operations = Buffer.from(stringifyExact(patch)).toString('base64');
  return `,"patchType":"JSONPatch","patch":"${operations}"`;
}

function warningsOf(warnings: readonly string[]): string {
  const legal = legalWarnings(warnings);
  return legal.length === 0 ? '' : `,"warnings":${JSON.stringify(legal)}`;
}

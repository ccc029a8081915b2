import type { JsonObject, JsonPatch, JsonValue, Phase, Remarks, Review, Verdict } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { parseJsonPatch } from '../../kernel/json-patch/parse-json-patch.ts';
import { isJsonObject } from '../../kernel/json/json-equal.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';
import { isFlag, isText, isTextMap, isTexts, read, unreadable } from './opa-output.ts';

/** The verdict in an AdmissionReview: `response` with `allowed`, and what else Kubernetes knows of. */
export function admissionVerdict(result: JsonValue, review: Review, phase: Phase): Verdict | Fault {
  if (!isJsonObject(result)) {
    const hint = Array.isArray(result)
      ? '; violations in the way of Gatekeeper need `engine: gatekeeper`'
      : '';
    return unreadable(`its result must be an object with \`response\`${hint}`);
  }
  const response = read(result, 'response', isJsonObject, 'an object');
  if (isFault(response)) return response;
  if (response === undefined) return unreadable('its result has no `response`');
  const allowed = read(response, 'allowed', isFlag, 'true or false');
  if (isFault(allowed)) return allowed;
  if (allowed === undefined) return unreadable('`allowed` is missing in its response');

  const remarks = readRemarks(response);
  if (isFault(remarks)) return remarks;
  if (!allowed) return denial(response, remarks);
  const patch = readPatch(response, review, phase);
  if (isFault(patch)) return patch;
  const said = allowance(response);
  if (isFault(said)) return said;
  return { outcome: 'allow', ...remarks, ...said, ...(patch === undefined ? {} : { mutation: { patch } }) };
}

type Said = Pick<Verdict & { readonly outcome: 'allow' }, 'message' | 'code'>;

function allowance(response: JsonObject): Said | Fault {
  const status = read(response, 'status', isJsonObject, 'an object') ?? {};
  if (isFault(status)) return status;
  const message = read(status, 'message', isText, 'a string');
  if (isFault(message)) return message;
  const code = read(status, 'code', isStatus, 'an HTTP status');
  if (isFault(code)) return code;
  return { ...(message ? { message } : {}), ...(code ? { code } : {}) };
}

function readRemarks(response: JsonObject): Remarks | Fault {
  const warnings = read(response, 'warnings', isTexts, 'an array of strings');
  if (isFault(warnings)) return warnings;
  const auditAnnotations = read(response, 'auditAnnotations', isTextMap, 'an object of strings');
  if (isFault(auditAnnotations)) return auditAnnotations;
  return { warnings: warnings ?? [], auditAnnotations: auditAnnotations ?? {} };
}

function denial(response: JsonObject, remarks: Remarks): Verdict | Fault {
  const status = read(response, 'status', isJsonObject, 'an object') ?? {};
  if (isFault(status)) return status;
  const message = read(status, 'message', isText, 'a string');
  if (isFault(message)) return message;
  const reason = read(status, 'reason', isText, 'a string');
  if (isFault(reason)) return reason;
  const code = read(status, 'code', isErrorStatus, 'an HTTP status of an error');
  if (isFault(code)) return code;
  return {
    outcome: 'deny',
    message: message || reason || 'denied without explanation',
    ...(reason ? { reason } : {}),
    ...(code ? { code } : {}),
    causes: [],
    ...remarks,
  };
}

function isStatus(value: JsonValue): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 599;
}

/** 0 is what encoders write for none. */
function isErrorStatus(value: JsonValue): value is number {
  return value === 0 || (Number.isInteger(value) && Number(value) >= 400 && Number(value) <= 599);
}

/** Base64 of a JSON Patch. */
function readPatch(response: JsonObject, review: Review, phase: Phase): JsonPatch | undefined | Fault {
  const text = read(response, 'patch', isText, 'a string');
  if (isFault(text)) return text;
  const type = read(response, 'patchType', isText, 'a string');
  if (isFault(type)) return type;
  if (!text && !type) return undefined;
  if (!text) return unusable('`patchType` without `patch`');
  if (type !== 'JSONPatch') return unusable('`patch` needs `patchType: JSONPatch`');
  if (phase !== 'mutate') return unusable('a validating policy may not answer with a patch');
  if (review.operation === 'DELETE') return unusable('a DELETE cannot be answered with a patch');
  const bytes = Buffer.from(text, 'base64');
  // What is no base64 is skipped by the decoder, so only what it would write again is one.
  if (bytes.toString('base64') !== text) return unusable('`patch` is not standard base64');
  const patch = parseJson(bytes);
  return isFault(patch) ? unusable(`\`patch\` is not JSON: ${patch.message}`) : parseJsonPatch(patch);
}

function unusable(message: string): Fault {
  return new Fault('PC_PLUGIN_MUTATION', message);
}

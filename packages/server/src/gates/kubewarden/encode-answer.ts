import type { Cause, Decision } from '@portcullis/contract';
import { stringifyExact } from '../../kernel/json/json-document.ts';
import { toText } from '../single-line.ts';
import type { KubewardenRoute } from './kubewarden-route.ts';

/** Characters that reach the client; a guest could write megabytes. */
const MAX_TEXT = 32 * 1024;
const MAX_CAUSES = 100;

/** The answer to a review: an AdmissionReview v1, whatever version asked, or of a raw request only its `response`. */
export function encodeAnswer(uid: string, decision: Decision, { question, policy }: KubewardenRoute): string {
  const { outcome, patch, warnings, auditAnnotations } = decision;
  const status = statusOf(decision);
  const response = JSON.stringify({
    uid,
    allowed: outcome === 'allow',
    // A denial with a patch is refused by API servers.
    ...(patch === undefined || outcome !== 'allow'
      ? {}
      : { patchType: 'JSONPatch', patch: Buffer.from(stringifyExact(patch)).toString('base64') }),
    ...(status === undefined ? {} : { status }),
    auditAnnotations: annotationsOf(auditAnnotations, policy),
    warnings: warnings.length === 0 ? null : warnings.map(cut),
  });
  if (question === 'validate_raw') return `{"response":${response}}`;
  return `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":${response}}`;
}

interface Status {
  readonly message?: string;
  readonly code?: number;
  readonly details?: { readonly causes: readonly object[] };
}

function statusOf({ message, code, causes }: Decision): Status | undefined {
  if (message === undefined && code === undefined && causes.length === 0) return undefined;
  return {
    ...(message === undefined ? {} : { message: cut(message) }),
    ...(code === undefined ? {} : { code }),
    ...(causes.length === 0 ? {} : { details: { causes: causes.slice(0, MAX_CAUSES).map(causeOf) } }),
  };
}

function causeOf({ field, message, reason }: Cause): object {
  return { field: field ?? null, message: cut(message), reason: reason ?? null };
}

/** With the keys of the policy; a `/`, which divides a member from its key, would make them illegal. */
function annotationsOf(
  annotations: Decision['auditAnnotations'],
  policy: string,
): Readonly<Record<string, string>> | null {
  const entries = Object.entries(annotations).map(([key, value]): [string, string] => [
    (key.startsWith(`${policy}/`) ? key.slice(policy.length + 1) : key).replaceAll('/', '.'),
    cut(value),
  ]);
  return entries.length === 0 ? null : Object.fromEntries(entries);
}

/** Without what could steer a terminal. */
function cut(text: string): string {
  return toText(text, MAX_TEXT);
}

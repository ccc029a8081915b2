import type { JsonValue } from '@portcullis/contract';
import type { Fault } from '../../kernel/fault.ts';
import { FAULTS } from '../../kernel/faults/catalogue.ts';
import { stringifyExact } from '../../kernel/json/json-document.ts';
import { statusOfFault } from './fault-status.ts';

/** How a path tells of a failure: RFC 9457, or `{"error": "…"}` as the plugin reference does. */
export type FaultForm = 'problem' | 'reference';

type Headers = Readonly<Record<string, string>>;

export function jsonResponse(body: object, status: number = 200, headers: Headers = {}): Response {
  return new Response(stringifyExact(body as JsonValue), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

export function textResponse(
  body: string,
  status: number = 200,
  contentType: string = 'text/plain',
): Response {
  return new Response(body, { status, headers: { 'content-type': contentType } });
}

/** `status` where a path's own contract wants another one than the code's. */
export function faultResponse(
  fault: Fault,
  form: FaultForm,
  status: number = statusOfFault(fault.code),
): Response {
  // The text of an unexpected error is for the log: nobody knows what it quotes.
  const detail = fault.code === 'PC_INTERNAL' ? FAULTS.PC_INTERNAL.meaning : fault.message;
  if (form === 'reference') return jsonResponse({ error: detail }, status, headersOf(fault));
  const { line, column, path } = fault.data;
  const problem = {
    type: `urn:portcullis:${fault.code}`,
    title: FAULTS[fault.code].meaning,
    status,
    detail,
    code: fault.code,
    advice: fault.advice,
    ...(typeof line === 'number' ? { line } : {}),
    ...(typeof column === 'number' ? { column } : {}),
    ...(typeof path === 'string' && path !== '' ? { path } : {}),
  };
  return jsonResponse(problem, status, { ...headersOf(fault), 'content-type': 'application/problem+json' });
}

function headersOf({ code, data }: Fault): Headers {
  if (code === 'PC_AUTH_REQUIRED') return { 'www-authenticate': 'Bearer realm="portcullis"' };
  if (code === 'PC_AUTH_ATTEMPTS') return { 'retry-after': String(data['retryAfter']) };
  if (code === 'PC_METHOD') return { allow: String(data['allow']) };
  return {};
}

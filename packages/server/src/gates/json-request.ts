import { Fault } from '../kernel/fault.ts';
import type { GateRequest } from './gate.ts';

export const JSON_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'application/json' };

/** Undefined when the body may be read as JSON. */
export function checkJsonRequest(
  { contentType, body }: Pick<GateRequest, 'contentType' | 'body'>,
  maxBodyBytes: number,
): Fault | undefined {
  if (!isJson(contentType)) {
    return new Fault('PC_REVIEW_CONTENT_TYPE', 'the content type is not `application/json`');
  }
  if (body.length <= maxBodyBytes) return undefined;
  return new Fault('PC_REVIEW_SIZE', `the body has more than ${maxBodyBytes} bytes`);
}

function isJson(contentType: string | undefined): boolean {
  return contentType === 'application/json' || /^application\/json\s*(?:;|$)/i.test(contentType ?? '');
}

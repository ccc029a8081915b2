import { Fault, type FaultCode } from '../../kernel/fault.ts';
import { isRecord } from '../kube-object.ts';
import { present } from '../present.ts';

/** The codes of `Status` objects and HTTP answers; the rest of 4xx is PC_KUBE_INVALID, of 5xx PC_KUBE_SERVER. */
const CODES: Readonly<Record<number, FaultCode>> = {
  401: 'PC_KUBE_UNAUTHORIZED',
  403: 'PC_KUBE_FORBIDDEN',
  404: 'PC_KUBE_NOT_FOUND',
  409: 'PC_KUBE_CONFLICT',
  410: 'PC_KUBE_GONE',
  429: 'PC_KUBE_THROTTLED',
};

const MAX_MESSAGE = 1024;

export interface ServerRefusal {
  /** Of the answer. */
  readonly http: number;
  /** A `Status` object, when the server sent one. */
  readonly status: unknown;
  /** The header. */
  readonly retryAfter?: string | undefined;
  /** It came inside a watch that had been opened. */
  readonly event?: boolean;
}

/**
 * The fault of an answer that is not a success. Its data: `status` (HTTP), `reason`, `retryAfter` (seconds), and `event`
 * when a watch told it.
 */
export function serverFault(what: string, refusal: ServerRefusal): Fault {
  const { code, message, reason, details } = readStatus(refusal.status);
  const number = code ?? refusal.http;
  const retryAfter = seconds(refusal.retryAfter) ?? seconds(details['retryAfterSeconds']);
  return new Fault(faultCode(number, details), `${what}: ${message ?? `the server answered ${number}`}`, {
    data: present({ status: number, reason, retryAfter, event: refusal.event }),
  });
}

/** Seconds that the server asked us to wait. */
export function retryAfterOf(fault: Fault): number | undefined {
  const { retryAfter } = fault.data;
  return typeof retryAfter === 'number' ? retryAfter : undefined;
}

function faultCode(status: number, details: Readonly<Record<string, unknown>>): FaultCode {
  // A 504 that is about the version asked for, not about the server (apiserver: storage/errors.go).
  if (hasCause(details, 'ResourceVersionTooLarge')) return 'PC_KUBE_GONE';
  if (status < 400) return 'PC_KUBE_ANSWER';
  return CODES[status] ?? (status < 500 ? 'PC_KUBE_INVALID' : 'PC_KUBE_SERVER');
}

function hasCause({ causes }: Readonly<Record<string, unknown>>, reason: string): boolean {
  return Array.isArray(causes) && causes.some((cause) => isRecord(cause) && cause['reason'] === reason);
}

interface Status {
  readonly code?: number;
  readonly message?: string;
  readonly reason?: string;
  readonly details: Readonly<Record<string, unknown>>;
}

function readStatus(value: unknown): Status {
  if (!isRecord(value) || value['kind'] !== 'Status') return { details: {} };
  const { code, message, reason, details } = value;
  return {
    ...(typeof code === 'number' && code >= 400 && code < 600 ? { code } : {}),
    ...(typeof message === 'string' && message !== '' ? { message: bounded(message) } : {}),
    ...(typeof reason === 'string' ? { reason: bounded(reason) } : {}),
    details: isRecord(details) ? details : {},
  };
}

function bounded(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length <= MAX_MESSAGE ? line : `${line.slice(0, MAX_MESSAGE)}…`;
}

/** The server sends whole seconds; a date, which RFC 9110 allows too, is not used by API servers. */
function seconds(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && number > 0 && Number.isFinite(number) ? number : undefined;
}

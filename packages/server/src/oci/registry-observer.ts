import { isFault, type Fault, type FaultCode } from '../kernel/fault.ts';
import type { Incoming } from './http/transport.ts';

export const REGISTRY_OUTCOMES = [
  'ok',
  'unauthorized',
  'forbidden',
  'not_found',
  'throttled',
  'server_error',
  'timeout',
  'unreachable',
  'aborted',
  /** An address that may not be connected to. */
  'blocked',
  'other',
] as const;

export type RegistryOutcome = (typeof REGISTRY_OUTCOMES)[number];

/** Hears of every request to a registry or mirror; telemetry implements it. */
export interface RegistryObserver {
  /** Host and port that was asked, and what came of it, tokens and redirects included. Waits between two tries are not. */
  asked(host: string, outcome: RegistryOutcome, durationMs: number): void;
}

const OF_STATUS: Readonly<Record<number, RegistryOutcome>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  429: 'throttled',
};

const OF_CODE: Readonly<Partial<Record<FaultCode, RegistryOutcome>>> = {
  PC_OCI_UNAUTHORIZED: 'unauthorized',
  PC_OCI_FORBIDDEN: 'forbidden',
  PC_OCI_NOT_FOUND: 'not_found',
  PC_OCI_THROTTLED: 'throttled',
  PC_OCI_SERVER: 'server_error',
  PC_OCI_TIMEOUT: 'timeout',
  PC_OCI_UNREACHABLE: 'unreachable',
  PC_OCI_ABORTED: 'aborted',
  PC_OCI_ADDRESS: 'blocked',
};

export function registryOutcome(answer: Pick<Incoming, 'status'> | Fault): RegistryOutcome {
  if (isFault(answer)) return OF_CODE[answer.code] ?? 'other';
  const { status } = answer;
  if (status < 400) return 'ok';
  return OF_STATUS[status] ?? (status >= 500 ? 'server_error' : 'other');
}

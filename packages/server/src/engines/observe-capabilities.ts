import { isFault, type Fault, type FaultCode } from '../kernel/fault.ts';
import type { Clock } from '../kernel/ports.ts';
import type { CapabilityName, HostCapabilities } from './host-capabilities.ts';

export type HostCallOutcome = 'ok' | 'refused' | 'failed' | 'timeout';

/** Hears of everything that guests ask of the host; telemetry implements it. */
export interface HostCallObserver {
  /** `durationMs` is absent for what was refused before anybody was asked. */
  hostCalled(capability: CapabilityName | 'unknown', outcome: HostCallOutcome, durationMs?: number): void;
}

const OUTCOMES: Readonly<Partial<Record<FaultCode, HostCallOutcome>>> = {
  PC_CAPABILITY_DENIED: 'refused',
  PC_CAPABILITY_UNKNOWN: 'refused',
  PC_CAPABILITY_UNAVAILABLE: 'refused',
  PC_CAPABILITY_INPUT: 'refused',
  PC_CAPABILITY_BUSY: 'refused',
  PC_CAPABILITY_TIMEOUT: 'timeout',
  // The host did what it was asked: the image is not signed so.
  PC_CAPABILITY_UNTRUSTED: 'ok',
};

/** The same capabilities, and somebody who hears of their calls. */
export function observeCapabilities(
  inner: HostCapabilities,
  observer: HostCallObserver,
  { now }: Pick<Clock, 'now'>,
): HostCapabilities {
  return {
    async call(request) {
      const start = now();
      const answer = await inner.call(request);
      observer.hostCalled(request.capability, outcomeOf(answer), now() - start);
      return answer;
    },
    refused: (capability) => observer.hostCalled(capability ?? 'unknown', 'refused'),
  };
}

function outcomeOf(answer: Uint8Array | Fault): HostCallOutcome {
  return isFault(answer) ? (OUTCOMES[answer.code] ?? 'failed') : 'ok';
}

import type { Policy } from '@portcullis/contract';
import { Fault } from '../../kernel/fault.ts';
import type { EngineHost } from '../engine.ts';
import type { Grants } from '../host-capabilities.ts';
import type { KubewardenCall } from './kubewarden-call.ts';
import type { KubewardenModule } from './kubewarden-module.ts';

/** What guests can be asked; programs spell it with dashes. */
export type Operation = 'validate' | 'validate_settings' | 'protocol_version';

export interface Question {
  readonly operation: Operation;
  readonly payload: readonly Uint8Array[];
  readonly deadline: number;
  /** It is about a Secret: what the guest prints of it goes nowhere. */
  readonly isQuiet: boolean;
}

export interface Answer {
  /** Faults: PC_WASM_…, PC_KUBEWARDEN_GUEST. */
  readonly said: Uint8Array | Fault;
  readonly fuel: number;
  readonly memoryBytes: number;
}

/** The instances of one policy on one thread, whichever way they talk. */
export interface KubewardenGuest {
  /** No other policy of the thread shares its instances yet. */
  readonly isFirst: boolean;
  /** Makes an instance when there is none. */
  prepare(deadline: number): Promise<Fault | undefined>;
  /** Never rejects. */
  ask(question: Question): Promise<Answer>;
  close(): void;
}

export interface GuestOptions {
  readonly module: KubewardenModule;
  readonly policy: Policy;
  readonly host: EngineHost;
  readonly grants: Grants;
}

const TIMED_OUT = 'Policy execution interrupted because it exceeded the allowed execution time';
const WITHHELD = 'withheld, the request holds a secret';

/** A run that did not come to its end. */
export function failedRun(fault: Fault, call: KubewardenCall): Fault {
  if (fault.code === 'PC_WASM_TIMEOUT') return new Fault(fault.code, TIMED_OUT, { data: fault.data });
  if (call.misuse !== undefined) {
    return new Fault('PC_WASM_TRAP', `the policy was stopped: ${quieted(call.misuse, call)}`, {
      data: fault.data,
    });
  }
  const written = call.diagnosis.excerpt();
  if (written === '') return fault;
  return new Fault(fault.code, `${fault.message}: ${quieted(written, call)}`, { data: fault.data });
}

/** An error that a guest tells of. */
export function reportedError(text: string, call: KubewardenCall): Fault {
  return new Fault('PC_KUBEWARDEN_GUEST', `Guest call failure: ${quieted(text, call)}`);
}

function quieted(text: string, { log }: KubewardenCall): string {
  return log.isQuiet ? WITHHELD : text;
}

/** What a run that worked wrote to standard error. */
export function logDiagnosis({ diagnosis, log, policy }: KubewardenCall): void {
  if (log.isQuiet || !log.log.enabled('debug')) return;
  for (const line of diagnosis.text().split('\n')) {
    if (line !== '') log.log.log('debug', line, { target: 'stderr', policy });
  }
}

export function usageOf({ data }: Fault): Pick<Answer, 'fuel' | 'memoryBytes'> {
  const { fuel = 0, memoryBytes = 0 } = data as { fuel?: number; memoryBytes?: number };
  return { fuel, memoryBytes };
}

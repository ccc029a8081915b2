import type { Fault, FaultCode } from '../../kernel/fault.ts';
import type { Clock } from '../../kernel/ports.ts';

/** Faults by which a registry has said nothing about what it was asked for. Everything else is its word, or a mistake of ours. */
const SILENCE: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'PC_OCI_UNREACHABLE',
  'PC_OCI_TIMEOUT',
  'PC_OCI_SERVER',
  'PC_OCI_THROTTLED',
]);
/** Milliseconds. */
const REMEMBERED = 5000;

/** Registries that were away a moment ago. */
export interface Absences {
  isAbsence(fault: Fault): boolean;
  note(registry: string, fault: Fault): void;
  of(registry: string): Fault | undefined;
}

export function createAbsences({ now }: Pick<Clock, 'now'>): Absences {
  const away = new Map<string, { readonly fault: Fault; readonly until: number }>();
  const isAbsence = ({ code }: Fault): boolean => SILENCE.has(code);
  return {
    isAbsence,
    note(registry, fault) {
      if (isAbsence(fault)) away.set(registry, { fault, until: now() + REMEMBERED });
      else away.delete(registry);
    },
    of(registry) {
      const known = away.get(registry);
      return known !== undefined && known.until > now() ? known.fault : undefined;
    },
  };
}

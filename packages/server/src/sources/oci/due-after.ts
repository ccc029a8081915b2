import type { Fault } from '../../kernel/fault.ts';
import type { OciReference } from '../../oci/reference.ts';

const FIRST_RETRY = 1000;
const LAST_RETRY = 60_000;

export interface Looked {
  readonly reference: OciReference;
  readonly problem?: { readonly fault: Fault };
  /** In a row. */
  readonly failures: number;
}

/**
 * Milliseconds from one look to the next. Failures wait twice as long each time, and as long as a registry says that throttles
 * us; tags are looked at in the interval, with a tenth of it by chance, so that replicas do not ask together.
 */
export function dueAfter({ reference, problem, failures }: Looked, interval: number, random: number): number {
  const chance = 0.9 + random * 0.2;
  if (problem !== undefined) {
    const backoff = Math.min(FIRST_RETRY * 2 ** (failures - 1), LAST_RETRY) * chance;
    const asked = problem.fault.data['retryAfterMs'];
    return typeof asked === 'number' ? Math.max(asked, backoff) : backoff;
  }
  return reference.digest !== undefined || interval === 0 ? Infinity : interval * chance;
}

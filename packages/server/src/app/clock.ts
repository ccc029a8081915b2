import type { Clock } from '../kernel/ports.ts';

/** The machine's clock. */
export function createClock(): Clock {
  return { now: () => performance.now(), wall: () => Date.now() };
}

import { performance } from 'node:perf_hooks';
import type { Clock } from '../../../src/kernel/ports.ts';

/** The time of the machine, and what a test has put before it: a deadline far away passes when the test says so. */
export interface ShiftedClock extends Clock {
  advance(milliseconds: number): void;
}

export function createShiftedClock(): ShiftedClock {
  let shift = 0;
  return {
    now: () => performance.now() + shift,
    wall: () => Date.now() + shift,
    advance(milliseconds) {
      shift += milliseconds;
    },
  };
}

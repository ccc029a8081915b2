import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './ports.ts';

/** Work in steps of much less than a millisecond each; what it returns is the result. */
export type Steps<T> = Generator<void, T, void>;

/** Runs all steps at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** How work is spread; both in milliseconds. */
export interface Pace {
  /** In one go. */
  readonly work: number;
  /** Between two of them; 0: only what waits in the event loop is let by. */
  readonly rest: number;
}

/**
 * Work that keeps to itself has its thread preempted in the middle of an answer: on a machine with as many busy threads as cores the
 * kernel hands a core on every few milliseconds, and who is always ready to run waits longest. Who rests is not in the way.
 */
export const BESIDE_OTHERS: Pace = { work: 0.5, rest: 1 };
/** Where nobody waits for an answer yet. */
export const UNDISTURBED: Pace = { work: 0.5, rest: 0 };

/** Runs as many steps as the pace has time for, again and again, so that nothing else waits for long. */
export async function inSlices<T>(steps: Steps<T>, clock: Clock, { work, rest }: Pace): Promise<T> {
  let started = clock.now();
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (clock.now() - started < work) continue;
    await (rest === 0 ? nextTurn() : sleep(rest));
    started = clock.now();
  }
}

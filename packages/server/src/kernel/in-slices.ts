import { setImmediate as nextTurn } from 'node:timers/promises';
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

/** Runs as many steps as fit into `sliceMs` in each turn of the event loop, so that nothing else waits for long. */
export async function inSlices<T>(steps: Steps<T>, clock: Clock, sliceMs: number): Promise<T> {
  let started = clock.now();
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (clock.now() - started < sliceMs) continue;
    await nextTurn();
    started = clock.now();
  }
}

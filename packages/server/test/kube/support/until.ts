import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the condition holds; fails after many seconds, which only a hang takes. */
export async function until(condition: () => boolean, what: string, seconds = 30): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(2);
  }
}

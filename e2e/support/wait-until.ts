import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** What is awaited, for the error message. */
  readonly what: string;
  /** Milliseconds until it gives up; default 30 000. */
  readonly within?: number;
  /** Milliseconds between two checks; default 50. */
  readonly every?: number;
}

/**
 * Polls `check` until it returns something other than `undefined` and `false`, and returns that. A check that throws counts
 * as not yet, so assertions can be polled; the last error becomes the cause when the time is over.
 */
export async function waitUntil<T>(
  check: () => T | undefined | false | Promise<T | undefined | false>,
  options: WaitOptions,
): Promise<T> {
  const within = options.within ?? 30_000;
  const deadline = performance.now() + within;
  let cause: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`gave up after ${within} ms waiting for ${options.what}`, { cause });
    }
    await sleep(options.every ?? 50);
  }
}

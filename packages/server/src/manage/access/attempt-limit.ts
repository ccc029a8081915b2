import type { Clock } from '../../kernel/ports.ts';

/** Wrong tokens by address of the client, within a window that begins with the first one. */
export interface AttemptLimit {
  /** Seconds until the address may try again; undefined when it may now. */
  blockedFor(address: string): number | undefined;
  failed(address: string): void;
}

const MAX_FAILURES = 20;
/** Milliseconds. */
const WINDOW = 60_000;
/** Addresses that are remembered; the oldest is forgotten first. */
const MAX_ADDRESSES = 10_000;

export function createAttemptLimit(clock: Pick<Clock, 'now'>): AttemptLimit {
  const windows = new Map<string, { readonly start: number; failures: number }>();

  function current(address: string): { readonly start: number; failures: number } | undefined {
    const window = windows.get(address);
    if (window === undefined || clock.now() - window.start < WINDOW) return window;
    windows.delete(address);
    return undefined;
  }

  return {
    blockedFor(address) {
      const window = current(address);
      if (window === undefined || window.failures < MAX_FAILURES) return undefined;
      return Math.ceil((window.start + WINDOW - clock.now()) / 1000);
    },
    failed(address) {
      const window = current(address);
      if (window !== undefined) {
        window.failures += 1;
        return;
      }
      const oldest = windows.size < MAX_ADDRESSES ? undefined : windows.keys().next().value;
      if (oldest !== undefined) windows.delete(oldest);
      windows.set(address, { start: clock.now(), failures: 1 });
    },
  };
}

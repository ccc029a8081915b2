import type { KubeRuntime } from '../kube-host.ts';

/** Milliseconds; the numbers of client-go (tools/cache/reflector.go). */
const FIRST = 800;
const LONGEST = 30_000;
const HEALTHY = 120_000;

/** Pauses that grow while things fail and begin anew after two minutes without a failure. */
export interface Backoff {
  /** Milliseconds until the next attempt: anything below the limit, so that many clients do not come together. */
  next(): number;
}

export function createBackoff({ clock, random }: Pick<KubeRuntime, 'clock' | 'random'>): Backoff {
  let limit = FIRST;
  /** When the next attempt after the last failure begins. */
  let resumed = -Infinity;
  return {
    next() {
      const now = clock.now();
      if (now - resumed >= HEALTHY) limit = FIRST;
      const wait = random() * limit;
      limit = Math.min(limit * 2, LONGEST);
      resumed = now + wait;
      return wait;
    },
  };
}

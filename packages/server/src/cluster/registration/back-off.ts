/** Milliseconds. */
export interface BackOffOptions {
  readonly first: number;
  readonly most: number;
  /** After so long without an attempt it starts anew. */
  readonly forget: number;
}

/** Spreads attempts that keep coming: the first is free, and each further one waits twice as long as the one before. */
export interface BackOff {
  /** Milliseconds until the next attempt may be made. */
  wait(now: number): number;
  /** An attempt was made. */
  made(now: number): void;
  reset(): void;
}

export function createBackOff({ first, most, forget }: BackOffOptions): BackOff {
  let pause = 0;
  let last = Number.NEGATIVE_INFINITY;
  return {
    wait: (now) => Math.max(0, last + pause - now),
    made(now) {
      pause = now - last > Math.max(forget, pause) ? first : Math.min(most, Math.max(first, pause * 2));
      last = now;
    },
    reset() {
      pause = 0;
      last = Number.NEGATIVE_INFINITY;
    },
  };
}

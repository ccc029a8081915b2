/** Those who wait for their turn, in order, each for a time of its own. */
export interface WaitingLine {
  readonly length: number;
  /** True when called; false when `ms` milliseconds have passed before. */
  join(ms: number): Promise<boolean>;
  /** Calls the first `count`. */
  call(count: number): void;
}

/** setTimeout knows no longer times. */
const LONGEST_TIMER = 2 ** 31 - 1;

export function createWaitingLine(): WaitingLine {
  const waiting = new Set<() => void>();
  return {
    get length() {
      return waiting.size;
    },
    join: (ms) =>
      new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve(true);
        };
        const timer = setTimeout(
          () => {
            waiting.delete(wake);
            resolve(false);
          },
          Math.min(Math.ceil(Math.max(ms, 0)), LONGEST_TIMER),
        );
        waiting.add(wake);
      }),
    call(count) {
      for (const wake of [...waiting].slice(0, count)) wake();
    },
  };
}

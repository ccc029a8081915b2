/** Work that takes turns: at most so much at a time, and so much that waits. */
export interface Lane {
  /** Undefined when too much waits already. */
  run<T>(work: () => Promise<T>): Promise<T> | undefined;
}

/** Lists of objects are audited in the background: they must not take the place of requests that somebody waits for. */
export function createLane(maxRunning: number, maxWaiting: number): Lane {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running < maxRunning) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // Whoever waited longest takes the place as it is.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return {
    run: (work) => (running >= maxRunning && waiting.length >= maxWaiting ? undefined : inTurn(work)),
  };
}

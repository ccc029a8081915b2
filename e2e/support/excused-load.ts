import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What can become of a request besides the right answer:
 * - `api-server`: it did not answer, or said that it cannot
 * - `webhook`: it could not reach us, or we did not answer
 * - `wrong`: another decision; nothing excuses that
 */
export type Failure = 'api-server' | 'webhook' | 'wrong';

export interface Attempt {
  readonly failure?: Failure;
  /** What came instead. */
  readonly text: string;
}

export interface LoadCounts {
  readonly requests: number;
  /** Failures that a fault which was injected at that time explains. */
  readonly injected: number;
  /** All others. */
  readonly failed: number;
  /** The first of them, with the time and the beginning of the text. */
  readonly failures: readonly string[];
}

export interface ExcusedLoad {
  /** Failures of these kinds are injected while `run` runs; requests that were under way before or after count in. */
  during<T>(kinds: readonly Failure[], run: () => Promise<T>): Promise<T>;
  counts(): LoadCounts;
  stop(): Promise<LoadCounts>;
}

export interface ExcusedLoadOptions {
  /** The n-th request; must not throw. */
  readonly attempt: (index: number) => Promise<Attempt>;
  readonly workers: number;
  /** Milliseconds that each worker rests between two requests; default none. */
  readonly rest?: number;
}

/** Failures that are told, and characters of each. */
const TOLD = 20;
const LENGTH = 300;

interface Excuse {
  readonly kinds: readonly Failure[];
  until: number;
}

/** Requests without end, which tells failures that were to be expected from those that were not. */
export function startExcusedLoad({ attempt, workers, rest = 0 }: ExcusedLoadOptions): ExcusedLoad {
  const excuses: Excuse[] = [];
  const failures: string[] = [];
  const stopping = new AbortController();
  let requests = 0;
  let injected = 0;
  let failed = 0;
  let next = 0;

  function isExcused(failure: Failure, began: number): boolean {
    return excuses.some(({ kinds, until }) => kinds.includes(failure) && began <= until);
  }

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      const began = performance.now();
      const { failure, text } = await attempt(next++);
      requests += 1;
      if (failure !== undefined && failure !== 'wrong' && isExcused(failure, began)) injected += 1;
      else if (failure !== undefined && ++failed <= TOLD) {
        failures.push(`${new Date().toISOString()} ${failure}: ${text.slice(0, LENGTH)}`);
      }
      if (rest > 0) await sleep(rest);
    }
  }

  const all = Array.from({ length: workers }, work);
  const counts = (): LoadCounts => ({ requests, injected, failed, failures: [...failures] });
  return {
    async during(kinds, run) {
      const excuse: Excuse = { kinds, until: Infinity };
      excuses.push(excuse);
      try {
        return await run();
      } finally {
        excuse.until = performance.now();
      }
    },
    counts,
    async stop() {
      stopping.abort();
      await Promise.all(all);
      return counts();
    },
  };
}

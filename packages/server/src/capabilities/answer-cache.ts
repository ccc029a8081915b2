import { LRUCache } from 'lru-cache';
import { isFault, type Fault } from '../kernel/fault.ts';
import type { Clock } from '../kernel/ports.ts';

export interface AnswerCacheOptions {
  readonly clock: Clock;
  /** Milliseconds that an answer is good for. */
  readonly ttl: number;
  /** Milliseconds that a failure is: long enough that a burst asks once, short enough that nobody waits for a cure. */
  readonly failureTtl?: number;
  /** Answers that are kept. */
  readonly max: number;
  /** Bytes that are kept, as `sizeOf` counts them. */
  readonly maxBytes?: number;
}

const FAILURE_TTL = 1000;
const MAX_BYTES = 16 * 1024 ** 2;

/** Answers by key; whoever asks for the same at the same time waits for one and the same answer. */
export interface AnswerCache<T> {
  get(key: string, fetch: () => Promise<T | Fault>): Promise<T | Fault>;
}

export function createAnswerCache<T extends object>(
  options: AnswerCacheOptions,
  sizeOf: (answer: T) => number = () => 1,
): AnswerCache<T> {
  const { clock, ttl, failureTtl = Math.min(FAILURE_TTL, ttl), max, maxBytes = MAX_BYTES } = options;
  const known = new LRUCache<string, T | Fault>({
    max,
    maxSize: maxBytes,
    sizeCalculation: (answer, key) =>
      key.length + (isFault(answer) ? answer.message.length : sizeOf(answer)) + 1,
    perf: clock,
    ttlResolution: 0,
  });
  const asking = new Map<string, Promise<T | Fault>>();

  async function ask(key: string, fetch: () => Promise<T | Fault>): Promise<T | Fault> {
    try {
      const answer = await fetch();
      const keep = isFault(answer) ? failureTtl : ttl;
      if (keep > 0) known.set(key, answer, { ttl: keep });
      return answer;
    } finally {
      asking.delete(key);
    }
  }

  return {
    async get(key, fetch) {
      const answer = known.get(key);
      if (answer !== undefined) return answer;
      let running = asking.get(key);
      if (running === undefined) {
        running = ask(key, fetch);
        asking.set(key, running);
      }
      return running;
    },
  };
}

import type { Limits, Review } from '@portcullis/contract';
import type { Evaluation, Evaluator } from '../engines/engine.ts';
import { Fault } from '../kernel/fault.ts';
import type { Clock } from '../kernel/ports.ts';
import { faulted } from './ask.ts';

/** An evaluator that is asked no more than `limits.concurrency` at the same time; others wait, in their order, as long as they have. */
export function takeTurns(evaluator: Evaluator, { concurrency }: Limits, clock: Clock): Evaluator {
  if (concurrency === undefined) return evaluator;
  const waiting = new Set<() => void>();
  let free = concurrency;

  /** Whether there was a turn in time. */
  function takeTurn(deadline: number): Promise<boolean> | true {
    if (free > 0) {
      free -= 1;
      return true;
    }
    return new Promise((resolve) => {
      const enter = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(
        () => {
          waiting.delete(enter);
          resolve(false);
        },
        Math.max(0, deadline - clock.now()),
      );
      waiting.add(enter);
    });
  }

  /** A turn that ends is the first one's who waits. */
  function leave(): void {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async evaluate(review: Review, deadline: number): Promise<Evaluation> {
      const turn = takeTurn(deadline);
      if (turn !== true && !(await turn)) return untouched(concurrency);
      try {
        return await evaluator.evaluate(review, deadline);
      } finally {
        leave();
      }
    },
    close: () => evaluator.close(),
  };
}

function untouched(concurrency: number): Evaluation {
  const fault = new Fault(
    'PC_WASM_TIMEOUT',
    `the policy was busy until its deadline; it is asked ${concurrency} at a time, by \`limits.concurrency\``,
  );
  return { verdict: faulted(fault), fuel: 0, memoryBytes: 0 };
}

import type { Limits, Review } from '@portcullis/contract';
import type { Evaluation, Evaluator } from '../engines/engine.ts';
import { Fault } from '../kernel/fault.ts';
import type { Clock } from '../kernel/ports.ts';
import { createWaitingLine } from '../kernel/waiting-line.ts';
import { faulted } from './ask.ts';

/** An evaluator that is asked no more than `limits.concurrency` at the same time; others wait, in their order, as long as they have. */
export function takeTurns(evaluator: Evaluator, { concurrency }: Limits, clock: Clock): Evaluator {
  if (concurrency === undefined) return evaluator;
  const line = createWaitingLine();
  let free = concurrency;

  /** A turn that ends is the first one's who waits. */
  function leave(): void {
    if (line.length === 0) free += 1;
    else line.call(1);
  }

  return {
    async evaluate(review: Review, deadline: number): Promise<Evaluation> {
      if (free > 0) free -= 1;
      else if (!(await line.join(deadline - clock.now()))) return untouched(concurrency);
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

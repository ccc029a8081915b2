import type { Limits } from '@portcullis/contract';
import type { Fault } from '../kernel/fault.ts';
import type { EngineHost } from './engine.ts';

export interface Startable {
  /** Nobody else of the thread has made instances of it yet. */
  readonly isFirst: boolean;
  prepare(deadline: number): Promise<Fault | undefined>;
}

/** The first evaluation should not have to wait for a start; one that fails tries again. */
export function startAhead<E extends Startable>(
  evaluator: E,
  { timeoutMs }: Limits,
  { runtime, clock }: EngineHost,
): E {
  if (evaluator.isFirst) {
    runtime.start(async () => {
      if (!runtime.idle.isFull) await evaluator.prepare(clock.now() + timeoutMs);
    });
  }
  return evaluator;
}

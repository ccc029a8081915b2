import type { Engine } from '../engines/engine.ts';
import type { OpenedProgram } from './open-group.ts';
import type { PreparedPolicy } from './policy-set.ts';

const PHRASES: Engine['phrases'] = {
  refused: 'the policy is not loaded',
  ignored: 'the policy is not loaded and was passed over',
  reason: 'PolicyNotLoaded',
};

/** What a policy that cannot be loaded says to every review: why it cannot answer. */
export function openUnloadable({ code, message }: NonNullable<PreparedPolicy['unloadable']>): OpenedProgram {
  const verdict = { outcome: 'fault', code, message } as const;
  return {
    evaluator: { evaluate: async () => ({ verdict, fuel: 0, memoryBytes: 0 }), close: () => undefined },
    phrases: PHRASES,
  };
}

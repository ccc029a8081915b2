import type { Review, Verdict } from '@portcullis/contract';
import type { Engine, Evaluation } from '../../src/engines/engine.ts';
import { Fault } from '../../src/kernel/fault.ts';

/** What a scripted policy does with a review. */
export type Script = (review: Review) => Verdict | Promise<Verdict>;

export interface ScriptedEngine extends Engine {
  /** Evaluators that were opened and not closed, by policy name. */
  readonly open: Engine['open'];
  readonly opened: Map<string, number>;
}

/**
 * A small real engine whose modules are functions: the module's bytes are the name of a script. A script named `broken` does
 * not compile.
 */
export function createScriptedEngine(scripts: Readonly<Record<string, Script>>): ScriptedEngine {
  const opened = new Map<string, number>();
  return {
    name: 'plugin',
    phrases: {
      refused: 'Plugin execution error',
      ignored: 'Plugin failed but fail-open is enabled',
      reason: 'PluginError',
    },
    opened,
    detect: () => true,
    async compile(bytes) {
      const name = Buffer.from(bytes).toString();
      return name in scripts ? { name } : new Fault('PC_MODULE_MALFORMED', `no script \`${name}\``);
    },
    admit: async () => undefined,
    open(module, policy) {
      const { name } = policy.metadata;
      opened.set(name, (opened.get(name) ?? 0) + 1);
      const script = scripts[(module as { name: string }).name];
      return {
        async evaluate(review: Review): Promise<Evaluation> {
          if (script === undefined) throw new Error('unknown script');
          return { verdict: await script(review), fuel: 7, memoryBytes: 65536 };
        },
        close: () => void opened.set(name, (opened.get(name) ?? 0) - 1),
      };
    },
  };
}

export const allow: Verdict = { outcome: 'allow', warnings: [], auditAnnotations: {} };

export function deny(message: string): Verdict {
  return { outcome: 'deny', message, causes: [], warnings: [], auditAnnotations: {} };
}

import type { Policy, Review } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import { createSandbox } from '../../wasm/sandbox.ts';
import type { EngineHost, Evaluation, Evaluator } from '../engine.ts';
import { discreetHost } from '../review-secrets.ts';
import { answerText } from './plugin-answer.ts';
import { createPluginCall } from './plugin-call.ts';
import { PLUGIN_HOST, type PluginCall } from './plugin-host.ts';
import { inputTail, pluginInput } from './plugin-input.ts';
import { usePluginInstances } from './plugin-instances.ts';
import { pluginFault } from './plugin-verdict.ts';

export interface PluginEvaluator extends Evaluator {
  /** Makes an instance when there is none, so that a module whose start fails is known before it serves. */
  prepare(deadline: number): Promise<Fault | undefined>;
  /** No other policy of the thread shares its instances yet. */
  readonly isFirst: boolean;
}

export function createPluginEvaluator(
  module: CompiledModule,
  policy: Policy,
  host: EngineHost,
): PluginEvaluator {
  const { metadata, spec } = policy;
  const tail = inputTail(spec.settings);

  const instances = usePluginInstances(module, spec.limits, host);
  const sandbox = createSandbox<PluginCall>(module, {
    host: PLUGIN_HOST,
    limits: spec.limits,
    runtime: host.runtime,
    stock: instances.stock,
  });

  return {
    prepare: (deadline) => sandbox.prepare(deadline),
    isFirst: instances.isFirst,

    async evaluate(review: Review, deadline: number): Promise<Evaluation> {
      const context = createPluginCall(discreetHost(host, review), metadata.name, pluginInput(review, tail));
      const run = await sandbox.run('validate', context, deadline);
      if (isFault(run)) {
        const { fuel = 0, memoryBytes = 0 } = run.data as { fuel?: number; memoryBytes?: number };
        return { verdict: pluginFault(run), fuel, memoryBytes };
      }
      const { result, fuel, memoryBytes } = run;
      const code = returned(result, context);
      const verdict = isFault(code)
        ? pluginFault(code)
        : instances.verdictOf(spec.phase, answerText(code, context.output, review.operation));
      return { verdict, fuel, memoryBytes };
    },

    close() {
      sandbox.close();
      instances.release();
    },
  };
}

/**
 * The return code that may be read as an answer. Silence with code 0 allows, so it must be real silence: not a plugin that ended
 * itself on its way, nor one whose output, which may be a denial blown up by the object, could not be taken.
 */
function returned(result: number | undefined, { isOutputRefused }: PluginCall): number | Fault {
  if (result === undefined) return new Fault('PC_WASM_EXIT', 'the policy ended itself instead of returning');
  if (result === 0 && isOutputRefused) {
    return new Fault('PC_PLUGIN_OUTPUT', 'its output is too large or lies outside of its memory');
  }
  return result;
}

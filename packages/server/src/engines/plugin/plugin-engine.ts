import type { Policy } from '@portcullis/contract';
import type { Fault } from '../../kernel/fault.ts';
import { compileModule } from '../../wasm/compile-module.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import { checkLimits } from '../../wasm/sandbox.ts';
import type { Engine, EngineHost, Evaluator } from '../engine.ts';
import { createStartTrials } from '../start-trials.ts';
import { startAhead } from '../start-ahead.ts';
import { checkExports } from './plugin-exports.ts';
import { PLUGIN_HOST } from './plugin-host.ts';
import { createPluginEvaluator } from './plugin-evaluator.ts';

const tryStart = createStartTrials();

/** Modules of the plugin ABI: `validate` pulls its input and pushes its output through imports of module `env`. */
export const pluginEngine: Engine<CompiledModule> = {
  name: 'plugin',
  expects: 'imports of module `env` (`get_input_len`, `read_input`, `write_output`) and an export `validate`',
  phrases: {
    refused: 'Plugin execution error',
    ignored: 'Plugin failed but fail-open is enabled',
    reason: 'PluginError',
  },

  detect: (info) =>
    info.exports.some(({ name, kind }) => name === 'validate' && kind === 'function') &&
    info.imports.some(({ module, name }) => module === 'env' && name === 'read_input'),

  compile: (bytes) => compileModule(bytes, PLUGIN_HOST),

  async admit(module: CompiledModule, policy: Policy, host: EngineHost): Promise<Fault | undefined> {
    const problem =
      checkExports(module.info, policy.metadata.name) ?? checkLimits(module, policy.spec.limits);
    if (problem !== undefined) return problem;
    const { limits } = policy.spec;
    return tryStart(module, limits, async () => {
      const evaluator = createPluginEvaluator(module, policy, host);
      try {
        return await evaluator.prepare(host.clock.now() + limits.timeoutMs);
      } finally {
        evaluator.close();
      }
    });
  },

  open(module: CompiledModule, policy: Policy, host: EngineHost): Evaluator {
    return startAhead(createPluginEvaluator(module, policy, host), policy.spec.limits, host);
  },
};

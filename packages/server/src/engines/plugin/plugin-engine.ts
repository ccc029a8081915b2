import type { Policy } from '@portcullis/contract';
import type { Fault } from '../../kernel/fault.ts';
import { isFault } from '../../kernel/fault.ts';
import { compileModule } from '../../wasm/compile-module.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import { checkLimits } from '../../wasm/sandbox.ts';
import type { Engine, EngineHost, Evaluator } from '../engine.ts';
import { checkExports } from './plugin-exports.ts';
import { PLUGIN_HOST } from './plugin-host.ts';
import { createPluginEvaluator } from './plugin-evaluator.ts';

/** Modules of the plugin ABI: `validate` pulls its input and pushes its output through imports of module `env`. */
export const pluginEngine: Engine<CompiledModule> = {
  name: 'plugin',
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
    const evaluator = createPluginEvaluator(module, policy, host);
    try {
      const started = await evaluator.prepare(host.clock.now() + policy.spec.limits.timeoutMs);
      return isFault(started) ? started : undefined;
    } finally {
      evaluator.close();
    }
  },

  open: (module: CompiledModule, policy: Policy, host: EngineHost): Evaluator =>
    createPluginEvaluator(module, policy, host),
};

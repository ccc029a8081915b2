import type { Policy } from '@portcullis/contract';
import type { Fault } from '../../kernel/fault.ts';
import { compileModule } from '../../wasm/compile-module.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import { checkLimits } from '../../wasm/sandbox.ts';
import type { Engine, EngineHost, Evaluator } from '../engine.ts';
import { checkExports } from './plugin-exports.ts';
import { PLUGIN_HOST } from './plugin-host.ts';
import { createPluginEvaluator } from './plugin-evaluator.ts';

/** Limits under which modules have been seen to start. */
const startedWith = new WeakMap<CompiledModule, Set<string>>();

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
    // Nothing of the policy but its limits has a part in the start.
    const { timeoutMs, memoryBytes, fuel } = policy.spec.limits;
    const key = `${timeoutMs} ${memoryBytes} ${fuel}`;
    const started = startedWith.get(module) ?? new Set();
    if (started.has(key)) return undefined;
    const evaluator = createPluginEvaluator(module, policy, host);
    try {
      const refused = await evaluator.prepare(host.clock.now() + timeoutMs);
      if (refused !== undefined) return refused;
      startedWith.set(module, started.add(key));
      return undefined;
    } finally {
      evaluator.close();
    }
  },

  open(module: CompiledModule, policy: Policy, host: EngineHost): Evaluator {
    const evaluator = createPluginEvaluator(module, policy, host);
    // The first evaluation should not have to wait for a start; one that fails tries again.
    if (evaluator.isFirst && !host.runtime.idle.isFull)
      void evaluator.prepare(host.clock.now() + policy.spec.limits.timeoutMs);
    return evaluator;
  },
};

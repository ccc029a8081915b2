import type { Limits, Phase, Verdict } from '@portcullis/contract';
import { remember } from '../../kernel/remember.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import { GuestStock } from '../../wasm/guest-stock.ts';
import type { EngineHost } from '../engine.ts';
import { readAnswer } from './plugin-answer.ts';
import { createPluginCall } from './plugin-call.ts';
import { PLUGIN_HOST, type PluginCall } from './plugin-host.ts';
import type { PluginInput } from './plugin-input.ts';

/**
 * What policies of one module share on one thread. A plugin sees the name and the settings of its policy in its input only, so
 * after its start an instance may serve any of them: five thousand policies of a few modules hold a few instances, and a policy
 * whose document changes finds warm ones.
 */
export interface PluginInstances {
  readonly stock: GuestStock<PluginCall>;
  /** Reads an answer; policies say few different things, and what was read before is not read again. */
  readonly verdictOf: (phase: Phase, text: string) => Verdict;
  /** Nobody else uses them yet. */
  readonly isFirst: boolean;
  /** The last one who uses them lets go of them. */
  release(): void;
}

const NO_INPUT: PluginInput = { pieces: [], length: 0 };
/** Answers that are remembered for one module. */
const MAX_ANSWERS = 256;

interface Shared extends Pick<PluginInstances, 'stock' | 'verdictOf'> {
  users: number;
}

type ByLimits = Map<string, Shared>;
const shared = new WeakMap<EngineHost, WeakMap<CompiledModule, ByLimits>>();

export function usePluginInstances(
  module: CompiledModule,
  limits: Limits,
  host: EngineHost,
): PluginInstances {
  const byLimits = limitsOf(module, host);
  const key = `${limits.memoryBytes} ${limits.fuel}`;
  const instances = byLimits.get(key) ?? createShared(module, limits, host);
  byLimits.set(key, instances);
  instances.users += 1;
  let isReleased = false;
  return {
    stock: instances.stock,
    verdictOf: instances.verdictOf,
    isFirst: instances.users === 1,
    release() {
      if (isReleased) return;
      isReleased = true;
      instances.users -= 1;
      if (instances.users > 0) return;
      byLimits.delete(key);
      instances.stock.close();
    },
  };
}

function limitsOf(module: CompiledModule, host: EngineHost): ByLimits {
  const modules = shared.get(host) ?? new WeakMap<CompiledModule, ByLimits>();
  shared.set(host, modules);
  const byLimits = modules.get(module) ?? new Map<string, Shared>();
  modules.set(module, byLimits);
  return byLimits;
}

function createShared(module: CompiledModule, limits: Limits, host: EngineHost): Shared {
  const verdicts = {
    validate: remember((text) => readAnswer(text, 'validate'), MAX_ANSWERS),
    mutate: remember((text) => readAnswer(text, 'mutate'), MAX_ANSWERS),
  };
  return {
    users: 0,
    stock: new GuestStock<PluginCall>(module, {
      host: PLUGIN_HOST,
      limits,
      runtime: host.runtime,
      initialise: { exports: ['_initialize'], context: () => createPluginCall(host, 'start', NO_INPUT) },
    }),
    verdictOf: (phase, text) => verdicts[phase](text),
  };
}

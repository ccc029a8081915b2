import type { Limits, Phase, Verdict } from '@portcullis/contract';
import { remember } from '../../kernel/remember.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import { GuestStock } from '../../wasm/guest-stock.ts';
import type { EngineHost } from '../engine.ts';
import { createInstanceSharing, type SharedInstances } from '../shared-instances.ts';
import { readAnswer } from './plugin-answer.ts';
import { createPluginCall } from './plugin-call.ts';
import { PLUGIN_HOST, type PluginCall } from './plugin-host.ts';
import type { PluginInput } from './plugin-input.ts';

export interface PluginInstances extends Omit<SharedInstances<Shared>, 'shared'>, Shared {}

interface Shared {
  readonly stock: GuestStock<PluginCall>;
  /** Reads an answer; policies say few different things, and what was read before is not read again. */
  readonly verdictOf: (phase: Phase, text: string) => Verdict;
}

const NO_INPUT: PluginInput = { pieces: [], length: 0 };
/** Answers that are remembered for one module. */
const MAX_ANSWERS = 256;

const share = createInstanceSharing(createShared);

export function usePluginInstances(
  module: CompiledModule,
  limits: Limits,
  host: EngineHost,
): PluginInstances {
  const { shared, isFirst, release } = share(module, limits, host);
  return { ...shared, isFirst, release };
}

function createShared(module: CompiledModule, limits: Limits, host: EngineHost): Shared {
  const verdicts = {
    validate: remember((text) => readAnswer(text, 'validate'), MAX_ANSWERS),
    mutate: remember((text) => readAnswer(text, 'mutate'), MAX_ANSWERS),
  };
  return {
    stock: new GuestStock<PluginCall>(module, {
      host: PLUGIN_HOST,
      limits,
      runtime: host.runtime,
      initialise: { exports: ['_initialize'], context: () => createPluginCall(host, 'start', NO_INPUT) },
    }),
    verdictOf: (phase, text) => verdicts[phase](text),
  };
}

import type { Limits } from '@portcullis/contract';
import { isFault, type Fault } from '../kernel/fault.ts';
import type { CompiledModule } from '../wasm/compiled-module.ts';

/** Starts a module unless it has been seen to start under the same limits: nothing else of a policy has a part in that. */
export function createStartTrials(): (
  module: CompiledModule,
  limits: Limits,
  start: () => Promise<Fault | undefined>,
) => Promise<Fault | undefined> {
  const startedWith = new WeakMap<CompiledModule, Set<string>>();
  return async (module, { timeoutMs, memoryBytes, fuel }, start) => {
    const key = `${timeoutMs} ${memoryBytes} ${fuel}`;
    const started = startedWith.get(module) ?? new Set();
    if (started.has(key)) return undefined;
    const refused = await start();
    if (isFault(refused)) return refused;
    startedWith.set(module, started.add(key));
    return undefined;
  };
}

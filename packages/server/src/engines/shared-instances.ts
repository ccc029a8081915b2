import type { Limits } from '@portcullis/contract';
import type { CompiledModule } from '../wasm/compiled-module.ts';
import type { GuestStock } from '../wasm/guest-stock.ts';
import type { EngineHost } from './engine.ts';

/**
 * What policies of one module share on one thread. Where a guest sees the name and the settings of its policy in its input only,
 * an instance may serve any of them after its start: five thousand policies of a few modules hold a few instances, and a policy
 * whose document changes finds warm ones.
 */
export interface SharedInstances<S> {
  readonly shared: S;
  /** Nobody else uses them yet. */
  readonly isFirst: boolean;
  /** The last one who uses them lets go of them. */
  release(): void;
}

export interface WithStock {
  readonly stock: Pick<GuestStock<never>, 'close'>;
}

/** What an instance is made with beside module and limits, or what stands for it. */
type Variant = string | { readonly key: string };

type Create<S, V> = (module: CompiledModule, limits: Limits, host: EngineHost, variant: V | undefined) => S;

interface Entry<S> {
  readonly shared: S;
  users: number;
}

/**
 * Instances by thread, module and what an instance is made with: the limits, and in some dialects a text such as the settings.
 * One for each engine.
 */
export function createInstanceSharing<S extends WithStock, V extends Variant = string>(
  create: Create<S, V>,
): (module: CompiledModule, limits: Limits, host: EngineHost, variant?: V) => SharedInstances<S> {
  const hosts = new WeakMap<EngineHost, WeakMap<CompiledModule, Map<string, Entry<S>>>>();

  function entriesOf(module: CompiledModule, host: EngineHost): Map<string, Entry<S>> {
    const modules = hosts.get(host) ?? new WeakMap<CompiledModule, Map<string, Entry<S>>>();
    hosts.set(host, modules);
    const entries = modules.get(module) ?? new Map<string, Entry<S>>();
    modules.set(module, entries);
    return entries;
  }

  return (module, limits, host, variant) => {
    const entries = entriesOf(module, host);
    const key = `${limits.memoryBytes} ${limits.fuel} ${keyOf(variant)}`;
    const entry = entries.get(key) ?? { shared: create(module, limits, host, variant), users: 0 };
    entries.set(key, entry);
    entry.users += 1;
    let isReleased = false;
    return {
      shared: entry.shared,
      isFirst: entry.users === 1,
      release() {
        if (isReleased) return;
        isReleased = true;
        entry.users -= 1;
        if (entry.users > 0) return;
        entries.delete(key);
        entry.shared.stock.close();
      },
    };
  };
}

function keyOf(variant: Variant = ''): string {
  return typeof variant === 'string' ? variant : variant.key;
}

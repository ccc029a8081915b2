import type { CompiledModule } from './compiled-module.ts';
import { RESERVED, RESERVED_MODULE } from './instrumented.ts';
import type { ImportInfo } from './module-info.ts';

/**
 * A small module of the engine's own between guest and host, for dialects in which the host calls back into the guest. A host
 * function in JavaScript cannot do that: a guest below it could not be suspended. This one is WebAssembly, so whatever the
 * guest does for it is metered and suspended like the rest of its run. It keeps no state that a run can change, nothing of
 * it is reset.
 *
 * It imports host functions and, as `guest.functions`, a table with the functions that it calls; it exports what the guest
 * imports (rows with `byAdapter` of the host interface), and entries.
 */
export interface GuestAdapter {
  readonly module: WebAssembly.Module;
  readonly imports: readonly ImportInfo[];
  /** Module that the guest imports its functions from. */
  readonly offers: string;
  /** Exports of the guest, and of `within`, by their place in the table; absent ones are null there, and calling them is a trap. */
  readonly calls: readonly string[];
  /**
   * Works in the guest's memory, which it imports as `env.memory`, and pays for it: of `guest` it imports the exports, and `fuel`
   * and `refill`, to be used as the guest's code does (see instrumented.ts).
   */
  readonly within?: WebAssembly.Module;
}

export interface AdapterImports {
  readonly guest: WebAssembly.Imports;
  readonly adapter: WebAssembly.Imports;
}

/** What can be called: exports of the guest, and of the adapter before them. */
export function instantiate(
  { module }: CompiledModule,
  adapter: GuestAdapter | undefined,
  imports: AdapterImports,
): WebAssembly.Exports {
  if (adapter === undefined) return new WebAssembly.Instance(module, imports.guest).exports;
  const functions = new WebAssembly.Table({ element: 'anyfunc', initial: adapter.calls.length });
  const front = new WebAssembly.Instance(adapter.module, { ...imports.adapter, guest: { functions } });
  const { offers } = adapter;
  const guest = new WebAssembly.Instance(module, {
    ...imports.guest,
    [offers]: { ...imports.guest[offers], ...front.exports },
  });
  const within =
    adapter.within === undefined ? {} : instantiateWithin(adapter.within, guest.exports, imports);
  adapter.calls.forEach((name, place) => {
    const found = guest.exports[name] ?? within[name];
    if (typeof found === 'function') functions.set(place, found);
  });
  return { ...guest.exports, ...front.exports };
}

function instantiateWithin(
  module: WebAssembly.Module,
  exports: WebAssembly.Exports,
  { guest }: AdapterImports,
): WebAssembly.Exports {
  const { [RESERVED.memory]: memory, [RESERVED.fuel]: fuel } = exports;
  const { refill } = guest[RESERVED_MODULE] ?? {};
  const imports = { env: { memory }, guest: { ...exports, fuel, refill } } as WebAssembly.Imports;
  return new WebAssembly.Instance(module, imports).exports;
}

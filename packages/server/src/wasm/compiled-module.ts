import type { GuestLayout } from './instrumented.ts';
import type { ModuleInfo } from './module-info.ts';

/**
 * A module that is ready to run: metered, capped, its imports known to its engine. Made once for each digest and shared: a
 * structured clone of it (`postMessage`) shares the machine code.
 */
export interface CompiledModule {
  readonly module: WebAssembly.Module;
  readonly info: ModuleInfo;
  readonly layout: GuestLayout;
}

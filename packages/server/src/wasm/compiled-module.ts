import type { GuestLayout } from './instrumented.ts';
import type { ModuleInfo } from './module-info.ts';

/**
 * What is compiled and shared: one for each digest, structured-cloneable, sent to the gate threads without a second
 * compilation. What serves one evaluation is a `Guest`.
 */
export interface CompiledModule {
  readonly module: WebAssembly.Module;
  readonly info: ModuleInfo;
  readonly layout: GuestLayout;
}

import { performance } from 'node:perf_hooks';
import { isFault, type Fault } from '../../../src/kernel/fault.ts';
import type { Clock } from '../../../src/kernel/ports.ts';
import { compileModule } from '../../../src/wasm/compile-module.ts';
import type { CompiledModule } from '../../../src/wasm/compiled-module.ts';
import type { HostInterface } from '../../../src/wasm/host-interface.ts';
import { createSandbox, type Run, type Sandbox, type SandboxOptions } from '../../../src/wasm/sandbox.ts';
import { createWasmRuntime, type WasmRuntime } from '../../../src/wasm/wasm-runtime.ts';
import { wat } from '../../wasm-instrument/support/wat.ts';

export const clock: Clock = { now: () => performance.now(), wall: () => Date.now() };

export const FUEL = 20_000_000;
export const MEMORY = 16 * 1024 * 1024;
export const LIMITS = { memoryBytes: MEMORY, fuel: FUEL };

/** Long enough for any test on a loaded machine. */
export const soon = (ms = 60_000): number => clock.now() + ms;

export function createRuntime(): WasmRuntime {
  return createWasmRuntime({ clock });
}

export async function compiled<T>(
  text: string | Uint8Array,
  host: HostInterface<T>,
): Promise<CompiledModule> {
  return sound(await compileModule(typeof text === 'string' ? wat(text) : text, host));
}

/** A sandbox of a module in text form; what `options` leaves out is ample. */
export async function sandboxOf<T = undefined>(
  text: string | Uint8Array,
  options: Partial<SandboxOptions<T>> = {},
): Promise<Sandbox<T>> {
  const host = options.host ?? {};
  const module = await compiled(text, host);
  return createSandbox<T>(module, { host, limits: LIMITS, runtime: createRuntime(), ...options });
}

/** The value, where it must not be a fault. */
export function sound<T>(value: T | Fault): T {
  if (isFault(value)) throw value;
  return value;
}

/** Code of a fault, or the result of a run. */
export function outcome(run: Run | Fault): string | number | undefined {
  return isFault(run) ? run.code : run.result;
}

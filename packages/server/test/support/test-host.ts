import { performance } from 'node:perf_hooks';
import type { EngineHost } from '../../src/engines/engine.ts';
import type { Clock, Logger } from '../../src/kernel/ports.ts';
import { createWasmRuntime } from '../../src/wasm/wasm-runtime.ts';

export const clock: Clock = { now: () => performance.now(), wall: () => Date.now() };

export const noLog: Logger = { enabled: () => false, log: () => undefined };

export function createTestHost(log: Logger = noLog): EngineHost {
  return { runtime: createWasmRuntime({ clock }), clock, log };
}

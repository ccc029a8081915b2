import { createWasiContext } from '../../wasm/wasi/wasi-context.ts';
import type { EngineHost } from '../engine.ts';
import type { PluginCall } from './plugin-host.ts';
import type { PluginInput } from './plugin-input.ts';

/** What one run of a plugin starts with. `plugin` is the name that its log lines get. */
export function createPluginCall({ clock, log }: EngineHost, plugin: string, input: PluginInput): PluginCall {
  return {
    ...createWasiContext({ clock, log, policy: plugin }),
    input: input.pieces,
    inputLength: input.length,
    output: undefined,
    isOutputRefused: false,
    logged: 0,
    log,
    plugin,
  };
}

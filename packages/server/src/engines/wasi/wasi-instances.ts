import { GuestStock } from '../../wasm/guest-stock.ts';
import { WASI_HOST } from '../../wasm/wasi/wasi-host.ts';
import { createInstanceSharing } from '../shared-instances.ts';
import { createWasiCall, type WasiCall } from './wasi-call.ts';
import { INITIALISE } from './wasi-exports.ts';

/**
 * Instances by module. A command starts from the state that its instance was made with, anything else from the one after
 * `_initialize`; both are there again after every run.
 */
export const useWasiInstances = createInstanceSharing((module, limits, host) => ({
  stock: new GuestStock<WasiCall>(module, {
    host: WASI_HOST,
    limits,
    runtime: host.runtime,
    initialise: {
      exports: [INITIALISE],
      context: () => createWasiCall(host, { policy: 'start', input: [] }),
    },
  }),
}));

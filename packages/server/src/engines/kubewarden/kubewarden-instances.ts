import { GuestStock } from '../../wasm/guest-stock.ts';
import { createInstanceSharing } from '../shared-instances.ts';
import { createKubewardenCall, type KubewardenCall } from './kubewarden-call.ts';
import { GUEST_CALL, START_EXPORTS } from './kubewarden-exports.ts';
import { KUBEWARDEN_HOST } from './kubewarden-host.ts';
import type { KubewardenInput } from './kubewarden-input.ts';

const START = { policy: 'start' };

/** Of guests that live long, by module and what they are asked first, which is the settings: what they set up may depend on them. */
export const useWapcInstances = createInstanceSharing(
  (module, limits, host, first: WarmUpQuestion = { key: '', payload: [] }) => ({
    stock: new GuestStock<KubewardenCall>(module, {
      host: KUBEWARDEN_HOST,
      limits,
      runtime: host.runtime,
      initialise: {
        exports: START_EXPORTS,
        context: () => createKubewardenCall(host, START),
        warmUp: {
          entry: GUEST_CALL,
          args: ['validate'.length, lengthOf(first.payload)],
          context: () =>
            createKubewardenCall(host, {
              ...START,
              operation: 'validate',
              payload: first.payload,
              isQuiet: true,
            }),
          // What was asked of the host is of that moment.
          isSound: (call) => !call.hasAsked,
        },
      },
    }),
  }),
);

/** Of programs, by module: each is as it was made. */
export const useProgramInstances = createInstanceSharing((module, limits, host) => ({
  stock: new GuestStock<KubewardenCall>(module, {
    host: KUBEWARDEN_HOST,
    limits,
    runtime: host.runtime,
    initialise: { exports: [], context: () => createKubewardenCall(host, START) },
  }),
}));

export interface WarmUpQuestion {
  /** Stands for the payload. */
  readonly key: string;
  readonly payload: KubewardenInput;
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

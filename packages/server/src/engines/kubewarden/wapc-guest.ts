import { Fault, isFault } from '../../kernel/fault.ts';
import { createSandbox, type Run } from '../../wasm/sandbox.ts';
import { createKubewardenCall, type KubewardenCall } from './kubewarden-call.ts';
import { GUEST_CALL, START_EXPORTS } from './kubewarden-exports.ts';
import {
  failedRun,
  logDiagnosis,
  reportedError,
  usageOf,
  type GuestOptions,
  type KubewardenGuest,
} from './kubewarden-guest.ts';
import { KUBEWARDEN_HOST } from './kubewarden-host.ts';
import { inputTail } from './kubewarden-input.ts';
import { neutralPayload } from './neutral-review.ts';

/**
 * Guests whose contract is to live long: they are called again and again, and set themselves up in their first call. That one is
 * made of a review of nobody's with the settings of the policy, and every later call starts from what it left.
 */
export function createWapcGuest({ module, policy, host, grants }: GuestOptions): KubewardenGuest {
  const { name } = policy.metadata;
  const { settings, limits } = policy.spec;
  const warmUp = neutralPayload(inputTail(settings), module.metadata.policyType);
  const sandbox = createSandbox<KubewardenCall>(module, {
    host: KUBEWARDEN_HOST,
    limits,
    runtime: host.runtime,
    initialise: {
      exports: START_EXPORTS,
      context: () => createKubewardenCall(host, { policy: name }),
      warmUp: {
        entry: GUEST_CALL,
        args: ['validate'.length, lengthOf(warmUp)],
        context: () =>
          createKubewardenCall(host, { policy: name, operation: 'validate', payload: warmUp, isQuiet: true }),
        // What was asked of the host is of that moment.
        isSound: (call) => !call.hasAsked,
      },
    },
  });

  return {
    prepare: (deadline) => sandbox.prepare(deadline),
    async ask({ operation, payload, deadline, isQuiet }) {
      const call = createKubewardenCall(host, {
        policy: name,
        operation,
        payload,
        isQuiet,
        access: { capabilities: host.capabilities, grants },
        ...(limits.outputBytes === undefined ? {} : { maxOutputBytes: limits.outputBytes }),
      });
      const run = await sandbox.run(GUEST_CALL, call, deadline, [operation.length, call.payloadLength]);
      if (isFault(run)) return { said: failedRun(run, call), ...usageOf(run) };
      logDiagnosis(call);
      return { said: saidBy(run, call), fuel: run.fuel, memoryBytes: run.memoryBytes };
    },
    close: () => sandbox.close(),
  };
}

/** The table of the protocol, row by row. */
function saidBy({ result }: Run, call: KubewardenCall): Uint8Array | Fault {
  const { response, error } = call;
  if (result === undefined) return new Fault('PC_WASM_EXIT', 'the policy ended itself instead of returning');
  if (result === 0) return reportedError(error ?? 'No error message set for call failure', call);
  if (response !== undefined) return response;
  return reportedError(error ?? 'No error message OR response set for call success', call);
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

import { Fault, isFault } from '../../kernel/fault.ts';
import { createSandbox, type Run } from '../../wasm/sandbox.ts';
import { createKubewardenCall, type KubewardenCall } from './kubewarden-call.ts';
import { GUEST_CALL } from './kubewarden-exports.ts';
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
import { useWapcInstances } from './kubewarden-instances.ts';
import { neutralPayload } from './neutral-review.ts';

/**
 * Guests whose contract is to live long: they are called again and again, and set themselves up in their first call. That one is
 * made of a review of nobody's with the settings of the policy, and every later call starts from what it left. Policies with the same
 * settings share what comes of that.
 */
export function createWapcGuest({ module, policy, host, grants }: GuestOptions): KubewardenGuest {
  const { name } = policy.metadata;
  const { settings, limits } = policy.spec;
  const tail = inputTail(settings);
  const payload = neutralPayload(tail, module.metadata.policyType);
  const first = { key: Buffer.from(tail).toString('latin1'), payload };
  const { shared, isFirst, release } = useWapcInstances(module, limits, host, first);
  const sandbox = createSandbox<KubewardenCall>(module, {
    host: KUBEWARDEN_HOST,
    limits,
    runtime: host.runtime,
    stock: shared.stock,
  });

  return {
    isFirst,
    prepare: (deadline) => sandbox.prepare(deadline),
    async ask({ deadline, ...question }) {
      const { operation } = question;
      const call = createKubewardenCall(host, {
        policy: name,
        ...question,
        access: { capabilities: host.capabilities, grants },
        ...(limits.outputBytes === undefined ? {} : { maxOutputBytes: limits.outputBytes }),
      });
      const run = await sandbox.run(GUEST_CALL, call, deadline, [operation.length, call.payloadLength]);
      if (isFault(run)) return { said: failedRun(run, call), ...usageOf(run) };
      logDiagnosis(call);
      return { said: saidBy(run, call), fuel: run.fuel, memoryBytes: run.memoryBytes };
    },
    close() {
      sandbox.close();
      release();
    },
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

import { isFault, type Fault } from '../../kernel/fault.ts';
import { createSandbox } from '../../wasm/sandbox.ts';
import { createKubewardenCall, type KubewardenCall } from './kubewarden-call.ts';
import { COMMAND } from './kubewarden-exports.ts';
import {
  failedRun,
  logDiagnosis,
  usageOf,
  type GuestOptions,
  type KubewardenGuest,
} from './kubewarden-guest.ts';
import { KUBEWARDEN_HOST } from './kubewarden-host.ts';
import { useProgramInstances } from './kubewarden-instances.ts';
import { unreadable } from './kubewarden-output.ts';

/** Programs: run from the beginning for each question, which is on standard input. */
export function createWasiGuest({ module, policy, host, grants }: GuestOptions): KubewardenGuest {
  const { name } = policy.metadata;
  const { limits } = policy.spec;
  const { shared, isFirst, release } = useProgramInstances(module, limits, host);
  const sandbox = createSandbox<KubewardenCall>(module, {
    host: KUBEWARDEN_HOST,
    limits,
    runtime: host.runtime,
    stock: shared.stock,
  });

  return {
    isFirst,
    prepare: (deadline) => sandbox.prepare(deadline),
    async ask({ operation, payload, deadline, isQuiet }) {
      const call = createKubewardenCall(host, {
        policy: name,
        args: ['policy.wasm', operation.replaceAll('_', '-')],
        stdin: payload,
        isQuiet,
        access: { capabilities: host.capabilities, grants },
        ...(limits.outputBytes === undefined ? {} : { maxOutputBytes: limits.outputBytes }),
      });
      const run = await sandbox.run(COMMAND, call, deadline);
      if (isFault(run)) return { said: failedRun(run, call), ...usageOf(run) };
      logDiagnosis(call);
      return { said: saidBy(call), fuel: run.fuel, memoryBytes: run.memoryBytes };
    },
    close() {
      sandbox.close();
      release();
    },
  };
}

/** What is there of an answer that was cut may read as another one. */
function saidBy({ output }: KubewardenCall): Uint8Array | Fault {
  return output.isIncomplete ? unreadable('it is larger than `limits.output`') : output.bytes();
}

import type { Policy, Review } from '@portcullis/contract';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { remember } from '../../kernel/remember.ts';
import type { EngineHost, Evaluation, Evaluator } from '../engine.ts';
import type { Grants } from '../host-capabilities.ts';
import { holdsSecret } from '../review-secrets.ts';
import { checkProtocol } from './check-protocol.ts';
import { checkSettings } from './check-settings.ts';
import { inputTail, kubewardenInput } from './kubewarden-input.ts';
import type { KubewardenModule } from './kubewarden-module.ts';
import { parseOutput, type KubewardenOutput } from './kubewarden-output.ts';
import { kubewardenFault, kubewardenVerdict } from './kubewarden-verdict.ts';
import { createWapcGuest } from './wapc-guest.ts';
import { createWasiGuest } from './wasi-guest.ts';

export interface KubewardenEvaluator extends Evaluator {
  /** No other policy of the thread shares its instances yet. */
  readonly isFirst: boolean;
  /** Makes an instance when there is none, so that a module whose start fails is known before it serves. */
  prepare(deadline: number): Promise<Fault | undefined>;
  /** Asks the guest which protocol it speaks and what it thinks of its settings. */
  try(): Promise<Fault | undefined>;
}

const CREATE_GUEST = { wapc: createWapcGuest, wasi: createWasiGuest };
/** Answers that are remembered for one policy: most say few different things, in few words. */
const MAX_ANSWERS = 64;
const MAX_REMEMBERED = 1024;

export function createKubewardenEvaluator(
  module: KubewardenModule,
  policy: Policy,
  host: EngineHost,
  grants: Grants,
): KubewardenEvaluator {
  const { metadata, spec } = policy;
  const { policyType } = module.metadata;
  const tail = inputTail(spec.settings);
  const guest = CREATE_GUEST[module.mode]({ module, policy, host, grants });
  const remembered = remember<KubewardenOutput | Fault>(
    (text) => parseOutput(Buffer.from(text, 'latin1')),
    MAX_ANSWERS,
  );
  const asked = {
    phase: spec.phase,
    policy: metadata.name,
    policyType,
    ...(spec.mutation === undefined ? {} : { rules: spec.mutation }),
  };

  /** A character for each byte: cheaper than to decode, and to parse what was parsed before. */
  function read(said: Uint8Array): KubewardenOutput | Fault {
    if (said.length > MAX_REMEMBERED) return parseOutput(said);
    return remembered(Buffer.from(said.buffer, said.byteOffset, said.length).toString('latin1'));
  }

  return {
    isFirst: guest.isFirst,
    prepare: (deadline) => guest.prepare(deadline),

    async try() {
      const until = (): number => host.clock.now() + spec.limits.timeoutMs;
      return (
        (await checkProtocol(module, guest, until())) ?? (await checkSettings(spec.settings, guest, until()))
      );
    },

    async evaluate(review: Review, deadline: number): Promise<Evaluation> {
      const payload = kubewardenInput(review, tail, policyType);
      if (isFault(payload)) return { verdict: kubewardenFault(payload), fuel: 0, memoryBytes: 0 };
      const { said, fuel, memoryBytes } = await guest.ask({
        operation: 'validate',
        payload,
        deadline,
        isQuiet: holdsSecret(review),
      });
      const output = isFault(said) ? said : read(said);
      const verdict = isFault(output)
        ? kubewardenFault(output)
        : kubewardenVerdict(output, { review, ...asked });
      return { verdict, fuel, memoryBytes };
    },

    close: () => guest.close(),
  };
}

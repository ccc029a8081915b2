import type { Policy } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { ModuleInfo } from '../../wasm/module-info.ts';
import { checkLimits } from '../../wasm/sandbox.ts';
import type { Engine, EngineHost, Evaluator } from '../engine.ts';
import { parseGrants } from '../host-capabilities.ts';
import { startAhead } from '../start-ahead.ts';
import { createKubewardenEvaluator } from './kubewarden-evaluator.ts';
import { modeOf } from './kubewarden-exports.ts';
import { compileKubewarden, type KubewardenModule } from './kubewarden-module.ts';

const DESCRIPTIONS = { wapc: 'admission (waPC)', wasi: 'admission (standard streams)' };

/** Modules for Kubewarden that talk waPC or standard streams; those in Rego are other engines'. */
export const kubewardenEngine: Engine<KubewardenModule> = {
  name: 'kubewarden',
  expects: 'an export `__guest_call`, or a program with a section `io.kubewarden.metadata`',
  phrases: {
    refused: 'internal server error',
    ignored: "policy '{policy}' failed and is ignored",
    reason: 'InternalError',
  },

  detect: (info) => modeOf(info) !== undefined,

  describe(info: ModuleInfo): string {
    const mode = modeOf(info);
    return mode === undefined ? 'nothing' : DESCRIPTIONS[mode];
  },

  compile: compileKubewarden,

  async admit(module: KubewardenModule, policy: Policy, host: EngineHost): Promise<Fault | undefined> {
    const { gate, limits } = policy.spec;
    if (gate !== 'admission') {
      const text = `modules of the engine \`kubewarden\` answer the gate \`admission\`, not \`${gate}\``;
      return new Fault('PC_POLICY_VALUE', text);
    }
    const problem = checkLimits(module, limits);
    if (problem !== undefined) return problem;
    const grants = parseGrants(policy.spec);
    if (isFault(grants)) return grants;
    const evaluator = createKubewardenEvaluator(module, policy, host, grants);
    try {
      const refused = await evaluator.prepare(host.clock.now() + limits.timeoutMs);
      return refused ?? (await evaluator.try());
    } finally {
      evaluator.close();
    }
  },

  open(module: KubewardenModule, policy: Policy, host: EngineHost): Evaluator {
    const grants = parseGrants(policy.spec);
    // It was admitted, so this is a defect.
    if (isFault(grants)) throw grants;
    return startAhead(createKubewardenEvaluator(module, policy, host, grants), policy.spec.limits, host);
  },
};

import type { Policy } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { compileModule } from '../../wasm/compile-module.ts';
import type { ModuleInfo } from '../../wasm/module-info.ts';
import { checkLimits } from '../../wasm/sandbox.ts';
import type { Engine, EngineHost, Evaluation, Evaluator } from '../engine.ts';
import { executionModeOf } from '../execution-mode.ts';
import { parseGrants } from '../host-capabilities.ts';
import { inventoryQuestion } from '../inventory.ts';
import { startAhead } from '../start-ahead.ts';
import { examineOpa } from './examine-opa.ts';
import { GATEKEEPER_DIALECT, OPA_DIALECT, type OpaDialect } from './opa-dialect.ts';
import { createOpaEvaluator, type OpaModule, type OpaPolicy } from './opa-evaluator.ts';
import { abiOf, checkExports, hasExport, isOneCall } from './opa-exports.ts';
import { OPA_IMPORTS } from './opa-host.ts';

/** Modules that `opa build -t wasm` makes, asked and answering as OPA is by Kubernetes. */
export const opaEngine: Engine<OpaModule> = createEngine(OPA_DIALECT);
/** The same modules, asked and answering as Gatekeeper's templates. Without metadata nothing in the module tells, and the policy has to. */
export const gatekeeperEngine: Engine<OpaModule> = createEngine(GATEKEEPER_DIALECT);

function createEngine(dialect: OpaDialect): Engine<OpaModule> {
  return {
    name: dialect.name,
    phrases: {
      refused: "policy '{policy}' failed",
      ignored: "policy '{policy}' failed and is ignored",
      reason: 'PolicyError',
    },

    detect: (info, bytes) =>
      isOpaModule(info) &&
      (executionModeOf(bytes) === GATEKEEPER_DIALECT.name) === (dialect === GATEKEEPER_DIALECT),

    describe(info) {
      const abi = abiOf(info);
      if (abi !== undefined) return `Rego (ABI ${abi.major}.${abi.minor})`;
      return isOneCall(info) ? 'Rego (ABI 1.2 or later)' : 'Rego (ABI 1.0 or 1.1)';
    },

    examine: examineOpa,

    async compile(bytes) {
      const module = await compileModule(bytes, OPA_IMPORTS, { importedMemory: 'env.memory' });
      return isFault(module) ? module : { ...module, isForKubewarden: executionModeOf(bytes) !== undefined };
    },

    async admit(module: OpaModule, policy: Policy, host: EngineHost): Promise<Fault | undefined> {
      const { gate, limits } = policy.spec;
      if (gate !== 'admission') {
        const message = `modules of the engine \`${dialect.name}\` answer the gate admission, not \`${gate}\``;
        return new Fault('PC_POLICY_VALUE', message);
      }
      const problem = checkExports(module.info, policy.metadata.name) ?? checkLimits(module, limits);
      if (problem !== undefined) return problem;
      const opened = readPolicy(policy, dialect);
      if (isFault(opened)) return opened;
      const evaluator = createOpaEvaluator(module, opened, host);
      try {
        return await evaluator.prepare(host.clock.now() + limits.timeoutMs);
      } finally {
        evaluator.close();
      }
    },

    open(module: OpaModule, policy: Policy, host: EngineHost): Evaluator {
      const opened = readPolicy(policy, dialect);
      if (isFault(opened)) return refusing(opened);
      return startAhead(createOpaEvaluator(module, opened, host), policy.spec.limits, host);
    },
  };
}

function readPolicy(policy: Policy, dialect: OpaDialect): OpaPolicy | Fault {
  const { metadata, spec } = policy;
  const settings = dialect.settings(spec.settings);
  if (isFault(settings)) return settings;
  const grants = parseGrants(spec);
  if (isFault(grants)) return grants;
  const inventory = inventoryQuestion(metadata.name, spec, grants, dialect.name);
  return isFault(inventory) ? inventory : { policy, dialect, settings, inventory };
}

function isOpaModule(info: ModuleInfo): boolean {
  return (
    hasExport(info, 'opa_eval_ctx_new') && hasExport(info, 'opa_json_dump') && hasExport(info, 'builtins')
  );
}

/** Of a policy that was opened although it was not admitted. */
function refusing({ code, message }: Fault): Evaluator {
  const evaluation: Evaluation = { verdict: { outcome: 'fault', code, message }, fuel: 0, memoryBytes: 0 };
  return { evaluate: () => Promise.resolve(evaluation), close: () => undefined };
}

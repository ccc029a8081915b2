import type { Policy } from '@portcullis/contract';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { compileModule } from '../../wasm/compile-module.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import type { ModuleInfo } from '../../wasm/module-info.ts';
import { checkLimits } from '../../wasm/sandbox.ts';
import { WASI_HOST } from '../../wasm/wasi/wasi-host.ts';
import type { Engine, EngineHost, Evaluator } from '../engine.ts';
import { createStartTrials } from '../start-trials.ts';
import { startAhead } from '../start-ahead.ts';
import { createWasiEvaluator } from './wasi-evaluator.ts';
import { COMMAND, entryFor, isAction, USE_CASES, type WasiGate } from './wasi-exports.ts';

const IMPORTED = 'wasi_snapshot_preview1';
/** Programs of another dialect say so here; everything else about them looks alike. */
const FOREIGN_METADATA = 'io.kubewarden.metadata';

const tryStart = createStartTrials();

/** Modules that read a request from standard input and write the answer to standard output. */
export const wasiEngine: Engine<CompiledModule> = {
  name: 'wasi',
  expects:
    'imports of `wasi_snapshot_preview1` only and an export `validate`, `authn`, `authz` or `_start` of type () -> ()',
  gates: new Set(Object.keys(USE_CASES) as WasiGate[]),
  phrases: {
    refused: "admission review failed in wasm module '{policy}'",
    ignored: "wasm module '{policy}' failed and is ignored",
    reason: 'WasmModuleError',
  },

  detect: (info) =>
    info.imports.length > 0 &&
    info.imports.every(({ module }) => module === IMPORTED) &&
    !info.customSections.some(({ name }) => name === FOREIGN_METADATA) &&
    entriesOf(info).length > 0,

  describe: (info) => entriesOf(info).join(', '),

  compile: (bytes) => compileModule(bytes, WASI_HOST),

  async admit(module: CompiledModule, policy: Policy, host: EngineHost): Promise<Fault | undefined> {
    const { gate, limits } = policy.spec;
    const entry = entryFor(gate, module.info, policy.metadata.name);
    const problem = isFault(entry) ? entry : checkLimits(module, limits);
    if (problem !== undefined) return problem;
    return tryStart(module, limits, async () => {
      const evaluator = createWasiEvaluator(module, policy, host);
      try {
        return await evaluator.prepare(host.clock.now() + limits.timeoutMs);
      } finally {
        evaluator.close();
      }
    });
  },

  open(module: CompiledModule, policy: Policy, host: EngineHost): Evaluator {
    return startAhead(createWasiEvaluator(module, policy, host), policy.spec.limits, host);
  },
};

/** `admission (validate)`; a program answers every gate. */
function entriesOf(info: ModuleInfo): readonly string[] {
  const actions = new Set(info.exports.filter(isAction).map(({ name }) => name));
  const gates = Object.entries(USE_CASES).filter(([, name]) => actions.has(name));
  if (gates.length > 0) return gates.map(([gate, name]) => `${gate} (${name})`);
  return actions.has(COMMAND) ? [`command (${COMMAND})`] : [];
}

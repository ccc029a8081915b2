import type { Policy, Review } from '@portcullis/contract';
import { isFault, type Fault } from '../../kernel/fault.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import { createSandbox } from '../../wasm/sandbox.ts';
import { WASI_HOST } from '../../wasm/wasi/wasi-host.ts';
import type { EngineHost, Evaluation, Evaluator } from '../engine.ts';
import { holdsSecret } from '../review-secrets.ts';
import { createWasiCall, type WasiCall } from './wasi-call.ts';
import { entryFor } from './wasi-exports.ts';
import { inputTail, wasiInput } from './wasi-input.ts';
import { useWasiInstances } from './wasi-instances.ts';
import { failedCall, wasiFault, wasiVerdict } from './wasi-verdict.ts';

export interface WasiEvaluator extends Evaluator {
  /** Makes an instance when there is none, so that a module whose start fails is known before it serves. */
  prepare(deadline: number): Promise<Fault | undefined>;
  /** No other policy of the thread shares its instances yet. */
  readonly isFirst: boolean;
}

export function createWasiEvaluator(module: CompiledModule, policy: Policy, host: EngineHost): WasiEvaluator {
  const { metadata, spec } = policy;
  const { name } = metadata;
  const tail = inputTail(spec.settings);
  const entry = entryFor(spec.gate, module.info, name);
  const { shared, isFirst, release } = useWasiInstances(module, spec.limits, host);
  const sandbox = createSandbox<WasiCall>(module, {
    host: WASI_HOST,
    limits: spec.limits,
    runtime: host.runtime,
    stock: shared.stock,
  });

  return {
    prepare: (deadline) => sandbox.prepare(deadline),
    isFirst,

    async evaluate(review: Review, deadline: number): Promise<Evaluation> {
      if (isFault(entry)) return { verdict: wasiFault(entry, review), fuel: 0, memoryBytes: 0 };
      const call = createWasiCall(host, {
        policy: name,
        input: wasiInput(review, tail),
        ...(spec.limits.outputBytes === undefined ? {} : { maxOutputBytes: spec.limits.outputBytes }),
      });
      const run = await sandbox.run(entry, call, deadline);
      if (isFault(run)) {
        const { fuel = 0, memoryBytes = 0 } = run.data as { fuel?: number; memoryBytes?: number };
        return { verdict: failedCall(run, call, { entry, review }), fuel, memoryBytes };
      }
      logDiagnosis(call, review);
      const { fuel, memoryBytes } = run;
      return { verdict: wasiVerdict(call, { review, phase: spec.phase, policy: name }), fuel, memoryBytes };
    },

    close() {
      sandbox.close();
      release();
    },
  };

  /** Of a run that worked; what a guest prints of a token or a Secret stays where it is. */
  function logDiagnosis({ diagnosis }: WasiCall, review: Review): void {
    if (!host.log.enabled('debug') || holdsSecret(review)) return;
    for (const line of diagnosis.text().split('\n')) {
      if (line !== '') host.log.log('debug', line, { target: 'stderr', policy: name });
    }
  }
}

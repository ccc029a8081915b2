import type { Operation, Phase, Policy, Review, Verdict } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { remember } from '../../kernel/remember.ts';
import type { CompiledModule } from '../../wasm/compiled-module.ts';
import { createSandbox } from '../../wasm/sandbox.ts';
import { createWasiContext } from '../../wasm/wasi/wasi-context.ts';
import type { EngineHost, Evaluation, Evaluator } from '../engine.ts';
import { PLUGIN_HOST, type PluginCall } from './plugin-host.ts';
import { inputTail, pluginInput, type PluginInput } from './plugin-input.ts';
import { pluginFault, pluginVerdict } from './plugin-verdict.ts';

const NO_INPUT: PluginInput = { pieces: [], length: 0 };

export interface PluginEvaluator extends Evaluator {
  /** Makes the first instance, so that a module whose start fails is known before it serves. */
  prepare(deadline: number): Promise<Fault | undefined>;
}

export function createPluginEvaluator(
  module: CompiledModule,
  policy: Policy,
  host: EngineHost,
): PluginEvaluator {
  const { metadata, spec } = policy;
  const tail = inputTail(spec.settings);

  function call(input: PluginInput): PluginCall {
    return {
      ...createWasiContext({ clock: host.clock, log: host.log, policy: metadata.name }),
      input: input.pieces,
      inputLength: input.length,
      output: undefined,
      isOutputRefused: false,
      logged: 0,
      log: host.log,
      plugin: metadata.name,
    };
  }

  /** Policies say few different things: an answer that was read before is not read again. */
  const verdictOf = remember((text) => readAnswer(text, spec.phase), 64);

  const sandbox = createSandbox<PluginCall>(module, {
    host: PLUGIN_HOST,
    limits: spec.limits,
    runtime: host.runtime,
    initialise: { exports: ['_initialize'], context: () => call(NO_INPUT) },
  });

  return {
    prepare: (deadline) => sandbox.prepare(deadline),

    async evaluate(review: Review, deadline: number): Promise<Evaluation> {
      const context = call(pluginInput(review, tail));
      const run = await sandbox.run('validate', context, deadline);
      if (isFault(run)) {
        const { fuel = 0, memoryBytes = 0 } = run.data as { fuel?: number; memoryBytes?: number };
        return { verdict: pluginFault(run), fuel, memoryBytes };
      }
      const { result, fuel, memoryBytes } = run;
      const code = returned(result, context);
      const verdict = isFault(code)
        ? pluginFault(code)
        : verdictOf(answerText(code, context.output, review.operation));
      return { verdict, fuel, memoryBytes };
    },

    close: () => sandbox.close(),
  };
}

/**
 * The return code that may be read as an answer. Silence with code 0 allows, so it must be real silence: not a plugin that ended
 * itself on its way, nor one whose output, which may be a denial blown up by the object, could not be taken.
 */
function returned(result: number | undefined, { isOutputRefused }: PluginCall): number | Fault {
  if (result === undefined) return new Fault('PC_WASM_EXIT', 'the policy ended itself instead of returning');
  if (result === 0 && isOutputRefused) {
    return new Fault('PC_PLUGIN_OUTPUT', 'its output is too large or lies outside of its memory');
  }
  return result;
}

/** All that a verdict depends on: `<return code> <operation> <output, a character for each byte>`. */
function answerText(code: number, output: Uint8Array | undefined, operation: Operation): string {
  if (output === undefined) return `${code} ${operation} `;
  const bytes = Buffer.from(output.buffer, output.byteOffset, output.length);
  return `${code} ${operation} ${bytes.toString('latin1')}`;
}

function readAnswer(text: string, phase: Phase): Verdict {
  const first = text.indexOf(' ');
  const second = text.indexOf(' ', first + 1);
  const output = Buffer.from(text.slice(second + 1), 'latin1');
  const operation = text.slice(first + 1, second) as Operation;
  return pluginVerdict({ code: Number(text.slice(0, first)), output }, phase, operation);
}

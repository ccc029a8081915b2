import { CollectedOutput, createWasiContext, type WasiContext } from '../../wasm/wasi/wasi-context.ts';
import type { EngineHost } from '../engine.ts';
import { StandardError } from '../standard-error.ts';
import type { WasiInput } from './wasi-input.ts';

/** What one run of a module exchanges with it. */
export interface WasiCall extends WasiContext {
  readonly output: CollectedOutput;
  readonly diagnosis: StandardError;
}

/** Bytes of an answer when the policy says nothing else. */
export const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

export interface WasiCallOptions {
  /** The name that log lines get. */
  readonly policy: string;
  readonly input: WasiInput;
  readonly maxOutputBytes?: number;
}

/** No arguments, no environment, no files: standard streams, clocks and random numbers only. */
export function createWasiCall(host: EngineHost, options: WasiCallOptions): WasiCall {
  const { clock, log, random } = host;
  const output = new CollectedOutput(options.maxOutputBytes ?? MAX_OUTPUT_BYTES);
  const diagnosis = new StandardError();
  const context = createWasiContext({
    clock,
    log,
    policy: options.policy,
    stdin: options.input,
    stdout: output,
    stderr: diagnosis,
    ...(random === undefined ? {} : { random }),
  });
  return { ...context, output, diagnosis };
}

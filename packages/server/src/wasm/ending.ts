import { Fault } from '../kernel/fault.ts';

/** Why we ended a guest; undefined where it ended by itself. */
export type Ending =
  | { readonly by: 'fuel' }
  | { readonly by: 'timeout' }
  | { readonly by: 'exit'; readonly code: number }
  | { readonly by: 'host'; readonly name: string; readonly error: unknown };

export const OUT_OF_FUEL: Ending = { by: 'fuel' };
export const OUT_OF_TIME: Ending = { by: 'timeout' };

/** What a run had used when it was over. */
export interface Usage {
  readonly fuel: number;
  readonly memoryBytes: number;
}

/** Undefined for an exit with code 0, which is no fault. */
export function endingFault(ending: Ending, data: Usage): Fault | undefined {
  if (ending.by === 'fuel') {
    return new Fault('PC_WASM_FUEL', 'the policy used up its fuel', { data: { ...data } });
  }
  if (ending.by === 'timeout') return timeoutFault(data);
  if (ending.by === 'host') {
    return new Fault('PC_INTERNAL', `the host function \`${ending.name}\` failed`, {
      data: { ...data },
      cause: ending.error,
    });
  }
  const { code } = ending;
  if (code === 0) return undefined;
  return new Fault('PC_WASM_EXIT', `the policy exited with code ${code}`, {
    data: { ...data, exitCode: code },
  });
}

export function timeoutFault(data: Usage): Fault {
  return new Fault('PC_WASM_TIMEOUT', 'the policy did not answer before its deadline', { data: { ...data } });
}

/**
 * What V8 threw out of a guest that we had not ended. Guests that get no memory rarely do anything else but trap, so a trap
 * after a refusal is told as what it comes from.
 */
export function trapFault(thrown: unknown, data: Usage, memoryRefused: boolean): Fault {
  const options = { data: { ...data }, cause: thrown };
  if (thrown instanceof RangeError) {
    return new Fault('PC_WASM_STACK', 'the policy exhausted its call stack', options);
  }
  const text = thrown instanceof WebAssembly.RuntimeError ? thrown.message : 'an exception was not caught';
  if (memoryRefused) {
    return new Fault('PC_WASM_MEMORY', `the policy got no more memory and trapped: ${text}`, options);
  }
  return new Fault('PC_WASM_TRAP', `the policy trapped: ${text}`, options);
}

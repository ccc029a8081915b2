import type { JsonPatch, Mutation, Operation, Phase, Remarks, Verdict } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { parseJsonPatch } from '../../kernel/json-patch/parse-json-patch.ts';
import { parsePluginOutput, type PluginOutput } from './plugin-output.ts';

const NO_REMARKS: Remarks = { warnings: [], auditAnnotations: {} };

export interface PluginAnswer {
  /** What `validate` returned. */
  readonly code: number;
  /** What it wrote last; undefined or empty when nothing. */
  readonly output: Uint8Array | undefined;
}

/** The decision table of the ABI, row by row. */
export function pluginVerdict(answer: PluginAnswer, phase: Phase, operation: Operation): Verdict {
  if (answer.output === undefined || answer.output.length === 0) {
    return answer.code === 0 ? { outcome: 'allow', ...NO_REMARKS } : returnedError(answer.code, NO_REMARKS);
  }
  const output = parsePluginOutput(answer.output);
  if (isFault(output)) return faulted(output);

  const remarks: Remarks = { warnings: output.warnings, auditAnnotations: output.auditAnnotations };
  if (!output.allowed) return denial(output, remarks);
  // "Allowed" next to an error code is a contradiction, and a contradiction does not admit.
  if (answer.code !== 0) return returnedError(answer.code, remarks);

  const mutation = readMutation(output, operation);
  if (isFault(mutation)) return faulted(mutation);
  if (mutation !== undefined && phase !== 'mutate') {
    return {
      outcome: 'deny',
      message: 'Plugin returned a mutation but its policy has `phase: validate`',
      reason: 'PluginError',
      causes: [],
      ...remarks,
    };
  }
  return {
    outcome: 'allow',
    ...remarks,
    ...(output.message === undefined ? {} : { message: output.message }),
    ...(mutation === undefined ? {} : { mutation }),
  };
}

/** The words of the reference for what stopped a plugin. */
export function pluginFault(fault: Fault): Verdict {
  return {
    outcome: 'fault',
    code: fault.code,
    message: FAULT_TEXT[fault.code]?.(fault) ?? executionFailed(fault),
  };
}

const FAULT_TEXT: Readonly<Record<string, (fault: Fault) => string>> = {
  PC_WASM_FUEL: () => 'Plugin exceeded instruction limit',
  PC_WASM_TIMEOUT: () => 'Plugin execution timeout',
  PC_WASM_START: (fault) => `Failed to instantiate module: ${fault.message}`,
};

function executionFailed(fault: Fault): string {
  return `Plugin execution failed: ${fault.message}`;
}

function denial(output: PluginOutput, remarks: Remarks): Verdict {
  const message = output.message ?? output.errors.map((error) => error.message).join('; ');
  return {
    outcome: 'deny',
    message: message === '' ? 'Validation failed' : message,
    causes: output.errors,
    ...remarks,
    ...(output.reason === undefined ? {} : { reason: output.reason }),
  };
}

function returnedError(code: number, remarks: Remarks): Verdict {
  return {
    outcome: 'deny',
    message: `Plugin returned error code: ${code}`,
    reason: 'ValidationFailed',
    causes: [],
    ...remarks,
  };
}

function readMutation(output: PluginOutput, operation: Operation): Mutation | undefined | Fault {
  const { mutatedObject, patch } = output;
  if (mutatedObject === undefined && patch === undefined) return undefined;
  if (mutatedObject !== undefined && patch !== undefined) {
    return new Fault('PC_PLUGIN_MUTATION', 'plugin answered with both `mutatedObject` and `patch`');
  }
  if (operation === 'DELETE')
    return new Fault('PC_PLUGIN_MUTATION', 'plugin answered a DELETE with a mutation');
  if (mutatedObject !== undefined) return { object: mutatedObject };
  const parsed: JsonPatch | Fault = parseJsonPatch(patch);
  return isFault(parsed) ? parsed : { patch: parsed };
}

function faulted(fault: Fault): Verdict {
  return { outcome: 'fault', code: fault.code, message: fault.message };
}

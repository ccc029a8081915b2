import type { FaultEntry } from './fault-entry.ts';

/** What can happen while a guest runs. */
export const WASM_FAULTS = {
  PC_WASM_TRAP: {
    meaning: 'the policy stopped with a trap or an uncaught exception',
    advice: 'this is a defect of the policy: reproduce it with `portcullis check` on the same review',
  },
  PC_WASM_FUEL: {
    meaning: 'the policy used up its fuel',
    advice: 'raise `limits.fuel`, or see with `portcullis bench` how much it needs',
  },
  PC_WASM_TIMEOUT: {
    meaning: 'the policy did not answer before its time limit or the deadline of the request',
    advice: "raise `limits.timeout` and the webhook's timeout, or make the policy faster",
  },
  PC_WASM_MEMORY: {
    meaning: 'the policy needed more memory than `limits.memory`',
    advice: 'raise `limits.memory`',
  },
  PC_WASM_STACK: {
    meaning: 'the policy exhausted its call stack',
    advice: 'make the policy recurse less deeply',
  },
  PC_WASM_EXIT: {
    meaning: 'the policy ended itself instead of answering',
    advice: 'see its standard error in the debug log',
  },
  PC_WASM_START: {
    meaning: 'the module could not be instantiated or its start function failed',
    advice: 'the message has the reason; reproduce it with `portcullis inspect`',
  },
  PC_WASI_OUTPUT: {
    meaning: 'the policy wrote no answer of the WASI stdin/stdout form to standard output',
    advice: 'write one JSON document `{"response": …}` or `{"error": "…"}`, and logs to standard error',
  },
  PC_WASI_ERROR: {
    meaning: 'the policy reported an error instead of an answer',
    advice:
      'the message has its text; see whether its settings and the kinds that it is asked about are right',
  },
  PC_PLUGIN_OUTPUT: {
    meaning: 'the policy answered with something that is not a validation output',
    advice: 'the policy must write one JSON object with a boolean `allowed`',
  },
  PC_PLUGIN_MUTATION: {
    meaning: 'the policy answered with a mutation that cannot be used',
    advice:
      'answer with one mutation of the form that its engine takes, never on a DELETE, and only under `phase: mutate`',
  },
} as const satisfies Record<string, FaultEntry>;

import type { FaultEntry } from './fault-entry.ts';

/** Modules that were compiled from Rego. */
export const OPA_FAULTS = {
  PC_OPA_ABORT: {
    meaning: 'the policy gave up, as with two values for one rule',
    advice: 'the message has its reason; evaluate the same input with `opa eval` to see where',
  },
  PC_OPA_RESULT: {
    meaning: 'the entry point of the policy has no value, or one of another shape than its engine reads',
    advice:
      'see whether `entrypoint` names the right rule and whether the rule has a value for every input; give it a default',
  },
  PC_OPA_RAW: {
    meaning:
      'a policy in the way of Gatekeeper was asked about something that is no request of an API server',
    advice: 'ask it on `/validate/{id}`, or write the policy in the way of OPA',
  },
  PC_OPA_BUILTIN: {
    meaning: 'the policy needs a builtin function that is not offered, or one did too much work in one call',
    advice: 'see docs/bring-your-policies/opa.md for the functions and their bounds',
  },
  PC_OPA_ENTRYPOINT: {
    meaning: 'the module has no such entry point',
    advice: 'the message lists those that it has; name one of them, or compile with another `-e`',
  },
} as const satisfies Record<string, FaultEntry>;

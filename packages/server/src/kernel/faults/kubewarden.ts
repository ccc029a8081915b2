import type { FaultEntry } from './fault-entry.ts';

/** What goes wrong with guests of Kubewarden's protocols. */
export const KUBEWARDEN_FAULTS = {
  PC_KUBEWARDEN_OUTPUT: {
    meaning: 'the policy answered with something that is not a ValidationResponse',
    advice: 'the policy must answer with one JSON object with a boolean `accepted`',
  },
  PC_KUBEWARDEN_GUEST: {
    meaning: 'the policy reported an error instead of an answer',
    advice:
      'the message has its text; see whether its settings and the kinds that it is asked about are right',
  },
  PC_KUBEWARDEN_PROTOCOL: {
    meaning: 'the policy was built for another version of the waPC protocol of Kubewarden',
    advice: 'annotate the module with `protocolVersion: v1`, or build it with a current SDK',
  },
} as const satisfies Record<string, FaultEntry>;

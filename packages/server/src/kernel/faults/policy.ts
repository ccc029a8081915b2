import type { FaultEntry } from './fault-entry.ts';

/** The policy document and its matching. */
export const POLICY_FAULTS = {
  PC_POLICY_SYNTAX: {
    meaning: 'a policy document is not well-formed YAML or JSON',
    advice: 'mend the document at the line that the message names',
  },
  PC_POLICY_KEY: {
    meaning: 'a policy document has a key that does not exist',
    advice: 'remove the key or use the one that the message suggests',
  },
  PC_POLICY_VALUE: {
    meaning: 'a key of a policy document has a value that it cannot take',
    advice: 'give the key a value of the form that the message names',
  },
  PC_POLICY_BASE64: {
    meaning: 'a module inside a policy document is not base64',
    advice: 'encode the module with `base64 -w0`',
  },
  PC_POLICY_DUPLICATE: {
    meaning: 'two policies have the same name',
    advice: 'rename or remove one of the two; the first one stays in force',
  },
  PC_POLICY_CONDITION: {
    meaning: 'a CEL expression does not compile, or failed while it was evaluated',
    advice: 'mend the expression; guard optional fields with has()',
  },
  PC_POLICY_NAMESPACE: {
    meaning: 'the labels of a namespace are not known, so namespaceSelector could not be decided',
    advice: 'name the namespace under `namespaces` in the configuration, or match by name instead',
  },
  PC_POLICY_USER: {
    meaning: 'a policy authenticated a token and did not say whose it is',
    advice: 'answer with a `user` that has a `username`, or do not authenticate',
  },
  PC_POLICY_SYSTEM_NAME: {
    meaning: 'a policy authenticated a token as a user or with a group that belongs to Kubernetes itself',
    advice: 'if the policy is meant to, name the user or the group in `spec.systemNames`',
  },
  PC_POLICY_SETTINGS: {
    meaning: 'a policy refused its settings',
    advice: 'change `spec.settings` as the message says',
  },
} as const satisfies Record<string, FaultEntry>;

import type { FaultEntry } from './fault-entry.ts';

/** Our own place in a cluster: the registration of the webhooks. */
export const CLUSTER_FAULTS = {
  PC_REGISTRATION_CONTESTED: {
    meaning: 'somebody else keeps changing the webhook configurations that Portcullis keeps',
    advice:
      'find out who with `kubectl get … -o yaml --show-managed-fields` and stop it; to switch Portcullis off create the ConfigMap `portcullis-off`',
  },
  PC_ENDPOINT_UNREACHABLE: {
    meaning: 'the address where API servers call the gates cannot be reached',
    advice: 'check that the server runs, that its Service has endpoints, and the network policies',
  },
} as const satisfies Record<string, FaultEntry>;

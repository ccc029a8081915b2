import { Fault } from '../../kernel/fault.ts';
import type { PolicyStore } from './policy-store.ts';

/** For servers whose policies are objects of the Kubernetes API: there they are changed, and every replica follows. */
export const closedPolicyStore: PolicyStore = {
  name: 'api',
  read: async () => [],
  watch: () => () => undefined,
  put: async (policy) =>
    new Fault(
      'PC_CONFLICT',
      `policies of this server are objects of the Kubernetes API: apply \`${policy.metadata.name}\` with \`kubectl\``,
    ),
  remove: async () => false,
};

import type { Policy } from '@portcullis/contract';
import { namespaceReach, type NamespaceReach } from './namespace-reach.ts';
import {
  exemptNamespacesOf,
  type RegistrationNote,
  type RegistrationOptions,
} from './registration-options.ts';
import { wantedKinds, type WantedKind } from './wanted-kind.ts';

/** A policy that an API server has to ask, with what it has to be asked about. */
export interface AskedPolicy {
  readonly policy: Policy;
  readonly kinds: readonly WantedKind[];
  readonly reach: NamespaceReach;
}

/** The note says why no API server will ever ask this policy. */
export function askedPolicy(policy: Policy, options: RegistrationOptions): AskedPolicy | RegistrationNote {
  const asked = { policy, kinds: wantedKinds(policy), reach: namespaceReach(policy) };
  const text = neverAsked(asked, options);
  return text === undefined ? asked : { policy: policy.metadata.name, level: 'warning', text };
}

function neverAsked({ kinds, reach }: AskedPolicy, options: RegistrationOptions): string | undefined {
  const { only } = reach;
  const exempt = exemptNamespacesOf(options);
  if (kinds.length === 0) return 'is never asked: its rules match no request that its namespaces let through';
  if (only !== undefined && only.length === 0)
    return 'is never asked: `namespaces` and `excludedNamespaces` leave none';
  if (only !== undefined && only.every((name) => exempt.includes(name))) {
    const names = only.map((name) => `\`${name}\``).join(', ');
    return `is never asked: it judges only ${names}, and the registration exempts that`;
  }
  if (options.isStatic !== true && kinds.every(({ group }) => group === 'admissionregistration.k8s.io')) {
    return 'is never asked: API servers send no requests for webhook and admission policy objects to webhooks that are registered through the API; static manifests can guard them';
  }
  return undefined;
}

import type { PolicySpec } from '@portcullis/contract';
import { Fault } from '../kernel/fault.ts';
import { INVENTORY, type Grants, type HostCapabilities } from './host-capabilities.ts';

/** How policies in Rego see objects of the cluster: as kube-mgmt lays them out, or as Gatekeeper does. */
export type InventoryLayout = 'opa' | 'gatekeeper';

/** Asks for all objects of the kinds that one policy is granted, as one JSON document. */
export interface InventoryQuestion {
  readonly policy: string;
  readonly payload: Uint8Array;
}

/**
 * What a policy asks for before each of its evaluations; undefined when it reads nothing of the cluster. Naming kinds without the
 * capability is a mistake that must not wait: rules about objects that are not there hold for everything.
 */
export function inventoryQuestion(
  policy: string,
  { contextAwareResources = [] }: Pick<PolicySpec, 'contextAwareResources'>,
  { capabilities }: Grants,
  layout: InventoryLayout,
): InventoryQuestion | undefined | Fault {
  if (contextAwareResources.length === 0) return undefined;
  if (!capabilities.has(INVENTORY)) {
    return new Fault(
      'PC_CAPABILITY_DENIED',
      `\`spec.contextAwareResources\` needs \`${INVENTORY}\` in \`spec.capabilities\` for a policy in Rego`,
    );
  }
  const kinds = contextAwareResources
    .map(({ apiVersion, kind }) => ({ apiVersion, kind }))
    .sort((a, b) => compare(a.apiVersion, b.apiVersion) || compare(a.kind, b.kind));
  return { policy, payload: Buffer.from(JSON.stringify({ layout, kinds })) };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** JSON, the same array of bytes as long as it says the same; whoever reads it must not change it. Faults: PC_CAPABILITY_…. */
export async function askInventory(
  capabilities: HostCapabilities | undefined,
  question: InventoryQuestion,
  deadline: number,
): Promise<Uint8Array | Fault> {
  if (capabilities === undefined)
    return new Fault('PC_CAPABILITY_UNAVAILABLE', 'this server does not read a cluster for policies');
  return capabilities.call({ capability: INVENTORY, ...question, deadline });
}

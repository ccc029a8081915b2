import type { Policy } from '@portcullis/contract';
import type { Config } from '../../app/config/config.ts';
import { isFault, type Fault } from '../../kernel/fault.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import { CUSTOM_RESOURCES } from '../../policy/custom-resources/custom-resources.ts';
import { parseCustomResource } from '../../policy/custom-resources/parse-custom-resource.ts';
import { isException, type PolicyDocument } from '../../policy/parse-policies.ts';
import { kubeResourceOf } from '../../sources/crd/custom-resource-source.ts';
import { documentsOf } from '../../sources/kube-data/data-documents.ts';
import { CONFIG_MAPS, SECRETS, toDataObject, type DataKind } from '../../sources/kube-data/data-object.ts';

/** Policies, and what kept others from being read. */
export interface PolicyReadings {
  readonly policies: readonly Policy[];
  readonly problems: readonly Fault[];
}

/** The policies of a cluster as the server would read them; nothing is compiled. */
export async function clusterPolicies(
  client: KubeClient,
  { resources, configMaps, secrets }: Config['kubernetes'],
  namespace: string,
): Promise<PolicyReadings> {
  const found: (PolicyDocument | Fault)[] = [];
  for (const resource of resources ? CUSTOM_RESOURCES : []) {
    const objects = await client.list({ resource: kubeResourceOf(resource) });
    if (!isFault(objects)) found.push(...objects.map((object) => parseCustomResource(resource, object)));
    // That the kind does not exist is a finding of its own.
    else if (objects.code !== 'PC_KUBE_NOT_FOUND') found.push(objects);
  }
  found.push(...(await labelled(client, CONFIG_MAPS, namespace, configMaps)));
  found.push(...(await labelled(client, SECRETS, namespace, secrets)));
  return sorted(found);
}

export function sorted(found: readonly (PolicyDocument | Fault)[]): PolicyReadings {
  const policies: Policy[] = [];
  const problems: Fault[] = [];
  for (const one of found) {
    if (isFault(one)) problems.push(one);
    else if (!isException(one)) policies.push(one);
  }
  return { policies, problems };
}

async function labelled(
  client: KubeClient,
  kind: DataKind,
  namespace: string,
  labelSelector: string,
): Promise<(PolicyDocument | Fault)[]> {
  if (labelSelector === '') return [];
  const objects = await client.list({ resource: kind.resource, namespace }, { labelSelector });
  if (isFault(objects)) return [objects];
  return objects.flatMap((object) => documentsOf(toDataObject(object), kind).map(({ result }) => result));
}

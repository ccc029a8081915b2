import type { KeyReference, ModuleReference, Policy, PolicyMetadata } from '@portcullis/contract';

/** A policy, and its members, as they stand in their namespace: it is in their names and in their references to code. */
export function enclose(policy: Policy, namespace: string): Policy {
  const { metadata, spec, group } = policy;
  const { configMap, secret } = spec.module;
  return {
    ...policy,
    metadata: encloseName(metadata, namespace),
    spec: {
      ...spec,
      module: {
        ...spec.module,
        ...encloseReference('configMap', configMap, namespace),
        ...encloseReference('secret', secret, namespace),
      },
    },
    ...(group === undefined
      ? {}
      : {
          group: {
            ...group,
            members: Object.fromEntries(
              Object.entries(group.members).map(([name, member]) => [name, enclose(member, namespace)]),
            ),
          },
        }),
  };
}

function encloseName(metadata: PolicyMetadata, namespace: string): PolicyMetadata {
  return { ...metadata, name: namespacedName(namespace, metadata.name), namespace };
}

/** The name that a namespaced policy has in a policy set, where policies without a namespace are. */
export function namespacedName(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

function encloseReference(
  place: 'configMap' | 'secret',
  reference: KeyReference | undefined,
  namespace: string,
): ModuleReference {
  return reference === undefined ? {} : { [place]: { ...reference, namespace } };
}

import type { Permission } from './cluster-facts.ts';
import { KILL_SWITCH } from '../registration/registrar.ts';

export interface PermissionOptions {
  readonly namespace: string;
  /** Name of both webhook configurations; absent: the server does not keep them. */
  readonly registration?: string;
  /** Name of the Lease; absent: there is one replica and no election. */
  readonly lease?: string;
  /** Plural names of the custom resources in `portcullis.dev` that the server reads, and whose status it writes. */
  readonly customResources?: readonly string[];
  /** ConfigMaps and Secrets by label selector. */
  readonly readsConfigMaps?: boolean;
  readonly readsSecrets?: boolean;
  readonly readsNamespaces?: boolean;
}

const LEASES = {
  group: 'coordination.k8s.io',
  resource: 'leases',
  purpose: 'to agree with the other replicas who writes',
};
const WEBHOOKS = ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'];

/** What the server asks of an API server, by what is switched on. */
export function neededPermissions(options: PermissionOptions): Permission[] {
  const { namespace, registration, lease } = options;
  return [
    ...(registration === undefined ? [] : registrationPermissions(namespace, registration)),
    ...(lease === undefined
      ? []
      : [
          ...verbs(['get', 'update'], { ...LEASES, namespace, name: lease }),
          // A name cannot restrict what has none yet.
          ...verbs(['create'], { ...LEASES, namespace }),
        ]),
    ...(options.customResources ?? []).flatMap((resource) => [
      ...verbs(['list', 'watch'], { group: 'portcullis.dev', resource, purpose: 'to read policies' }),
      ...verbs(['patch'], {
        group: 'portcullis.dev',
        resource,
        subresource: 'status',
        purpose: 'to write the status of policies',
      }),
    ]),
    ...data('configmaps', options.readsConfigMaps, namespace),
    ...data('secrets', options.readsSecrets, namespace),
    ...(options.readsNamespaces === true
      ? verbs(['list', 'watch'], {
          group: '',
          resource: 'namespaces',
          purpose: 'to know the labels of namespaces',
        })
      : []),
    ...verbs(['create'], {
      group: 'events.k8s.io',
      resource: 'events',
      // Those about objects of the cluster are kept there.
      namespace: 'default',
      purpose: 'to tell what happened',
    }),
  ];
}

function registrationPermissions(namespace: string, name: string): Permission[] {
  return [
    ...WEBHOOKS.flatMap((resource) =>
      verbs(['list', 'watch', 'create', 'patch', 'delete'], {
        group: 'admissionregistration.k8s.io',
        resource,
        name,
        purpose: 'to keep the registration',
      }),
    ),
    ...verbs(['list', 'watch'], {
      group: '',
      resource: 'configmaps',
      namespace,
      name: KILL_SWITCH,
      purpose: 'to see the switch',
    }),
  ];
}

function data(resource: string, isRead: boolean | undefined, namespace: string): Permission[] {
  if (isRead !== true) return [];
  return verbs(['list', 'watch'], {
    group: '',
    resource,
    namespace,
    purpose: 'to read plugins and policies',
  });
}

function verbs(names: readonly string[], of: Omit<Permission, 'verb'>): Permission[] {
  return names.map((verb) => ({ verb, ...of }));
}

import { Fault } from '../kernel/fault.ts';

/** A kind of object as the API serves it. */
export interface KubeResource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** As in paths and RBAC rules: `pods`. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Reviews: questions that are created and answered, and have no name. */
  readonly unnamed?: true;
}

/** One object or one collection. A namespaced resource without a namespace means all namespaces (list and watch only). */
export interface KubeTarget {
  readonly resource: KubeResource;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** `status`, `scale`, `token`, … */
  readonly subresource?: string | undefined;
}

export function apiVersionOf({ group, version }: KubeResource): string {
  return group === '' ? version : `${group}/${version}`;
}

/**
 * The path below the server's URL, every part percent-encoded. An empty part, `.` or `..` is a fault: a URL would be
 * normalised to another object's.
 *
 * @throws TypeError for a namespace of a cluster-scoped resource, a name without the namespace it needs, and a subresource
 * without a name.
 */
export function kubePath({ resource, namespace, name, subresource }: KubeTarget): string | Fault {
  const { group, version, plural, namespaced } = resource;
  if (namespace !== undefined && !namespaced) throw new TypeError(`${plural} have no namespace`);
  if (name !== undefined && namespaced && namespace === undefined) {
    throw new TypeError(`a name among ${plural} needs a namespace`);
  }
  if (subresource !== undefined && name === undefined) throw new TypeError('a subresource needs a name');
  const parts = [
    ...(group === '' ? ['api'] : ['apis', group]),
    version,
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    plural,
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : subresource.split('/')),
  ];
  const bad = parts.find((part) => part === '' || part === '.' || part === '..');
  if (bad !== undefined) {
    return new Fault('PC_KUBE_INVALID', `\`${bad}\` cannot be a name among \`${resourceName(resource)}\``);
  }
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

/** For people: `pods`, `policies.portcullis.dev`. */
export function resourceName({ group, plural }: KubeResource): string {
  return group === '' ? plural : `${plural}.${group}`;
}

export const LEASES: KubeResource = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

export const EVENTS: KubeResource = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

import type { MatchCondition } from '@portcullis/contract';
import type { WantedKind } from './wanted-kind.ts';

interface Traffic extends MatchCondition {
  /** For people. */
  readonly what: string;
  readonly targets: readonly Omit<WantedKind, 'operations' | 'version'>[];
}

const SUBRESOURCES = '*';

/**
 * What a cluster writes all the time to stay alive, and reviews, which are questions and no objects. Policies that say
 * "everything" do not mean these, and a webhook between a component and its lease can bring a cluster down.
 */
const TRAFFIC: readonly Traffic[] = [
  {
    name: 'not-leases',
    what: 'leases',
    expression: '!(request.resource.group == "coordination.k8s.io" && request.resource.resource == "leases")',
    targets: [target('coordination.k8s.io', 'leases', SUBRESOURCES, 'Namespaced')],
  },
  {
    name: 'not-events',
    what: 'events',
    expression: '!(request.resource.group in ["", "events.k8s.io"] && request.resource.resource == "events")',
    targets: [
      target('', 'events', SUBRESOURCES, 'Namespaced'),
      target('events.k8s.io', 'events', SUBRESOURCES, 'Namespaced'),
    ],
  },
  {
    name: 'not-node-status',
    what: 'nodes/status',
    expression:
      '!(request.resource.group == "" && request.resource.resource == "nodes" && has(request.subResource) && request.subResource == "status")',
    targets: [target('', 'nodes', 'status', 'Cluster')],
  },
  {
    name: 'not-reviews',
    what: 'reviews of tokens and access',
    expression: '!(request.resource.group in ["authentication.k8s.io", "authorization.k8s.io"])',
    targets: [
      target('authentication.k8s.io', 'tokenreviews', '', 'Cluster'),
      target('authentication.k8s.io', 'selfsubjectreviews', '', 'Cluster'),
      target('authorization.k8s.io', 'subjectaccessreviews', '', 'Cluster'),
      target('authorization.k8s.io', 'selfsubjectaccessreviews', '', 'Cluster'),
      target('authorization.k8s.io', 'selfsubjectrulesreviews', '', 'Cluster'),
      target('authorization.k8s.io', 'localsubjectaccessreviews', '', 'Namespaced'),
    ],
  },
];

/**
 * Conditions that keep such traffic away from a webhook that would see it only through a wildcard. Whoever names the resource,
 * or its API group other than the core group, is asked: `all` is what the policies behind the same path want.
 */
export function trafficExclusions(
  kinds: readonly WantedKind[],
  all: readonly WantedKind[] = kinds,
): readonly Traffic[] {
  return TRAFFIC.filter(({ targets }) => {
    const isReached = (kind: WantedKind): boolean => targets.some((one) => reaches(kind, one));
    return kinds.some(isReached) && !all.some((kind) => isByName(kind) && isReached(kind));
  });
}

function target(
  group: string,
  resource: string,
  subresource: string,
  scope: WantedKind['scope'],
): Traffic['targets'][number] {
  return { group, resource, subresource, scope };
}

function reaches(
  kind: WantedKind,
  { group, resource, subresource, scope }: Traffic['targets'][number],
): boolean {
  return (
    (kind.group === '*' || kind.group === group) &&
    (kind.resource === '*' || kind.resource === resource) &&
    (subresource === SUBRESOURCES || kind.subresource === '*' || kind.subresource === subresource) &&
    (kind.scope === '*' || kind.scope === scope)
  );
}

function isByName({ group, resource }: WantedKind): boolean {
  return resource !== '*' || (group !== '*' && group !== '');
}

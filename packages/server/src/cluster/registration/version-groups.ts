import { sha256 } from '../../kernel/digest.ts';
import type { AskedPolicy } from './asked-policy.ts';
import type { WantedKind } from './wanted-kind.ts';

/** Policies that one webhook serves. */
export interface VersionGroup {
  /** `""` for the ordinary one, else the API versions that its rules name. */
  readonly label: string;
  readonly asked: readonly AskedPolicy[];
  /** What all groups together want. */
  readonly allKinds: readonly WantedKind[];
  /** All groups: behind the path of each, every policy runs that matches. */
  readonly allAsked: readonly AskedPolicy[];
}

/** Groups of Kubernetes that have served one version only since 1.25. */
const ONE_VERSION = new Set(['', 'apps', 'batch', 'rbac.authorization.k8s.io']);

/**
 * An API server sends an object in the version of the first rule that fits, and converts it only when no rule of the webhook
 * names the version of the request. So a policy that names `v1` would never hear of requests in `v2` if another rule of the
 * same webhook takes these as they are. Where rules collide in this way, those that name versions get a webhook of their own.
 */
export function versionGroups(asked: readonly AskedPolicy[]): VersionGroup[] {
  const all = distinct(asked.flatMap(({ kinds }) => kinds));
  const byGroup = Map.groupBy(all, ({ group }) => group);
  const isRivalled = remembered((kind: WantedKind, versions: string): boolean => {
    const rivals =
      kind.group === '*' ? all : [...(byGroup.get(kind.group) ?? []), ...(byGroup.get('*') ?? [])];
    const own = versions.split(',');
    return rivals.some((rival) => !own.includes(rival.version) && overlaps(kind, rival));
  });
  const labelOf = (kind: WantedKind, siblings: readonly WantedKind[]): string => {
    if (kind.version === '*' || ONE_VERSION.has(kind.group)) return '';
    const versions = [...versionsOf(siblings, kind)].sort().join();
    return isRivalled(kind, versions) ? shortLabel(versions.replaceAll(',', '-')) : '';
  };
  const groups = new Map<string, AskedPolicy[]>([['', []]]);
  for (const one of asked) {
    const parts = Map.groupBy(one.kinds, (kind) => labelOf(kind, one.kinds));
    for (const [label, kinds] of parts) {
      const group = groups.get(label) ?? [];
      groups.set(label, group);
      group.push({ ...one, kinds });
    }
  }
  return [...groups]
    .map(([label, members]) => ({ label, asked: members, allKinds: all, allAsked: asked }))
    .filter((group) => group.asked.length > 0)
    .sort((a, b) => (a.label < b.label ? -1 : 1));
}

function keyOf({ operations, group, version, resource, subresource, scope }: WantedKind): string {
  return `${operations.join()} ${group} ${version} ${resource} ${subresource} ${scope}`;
}

/** Thousands of policies name the same few kinds. */
function distinct(kinds: readonly WantedKind[]): WantedKind[] {
  return [...new Map(kinds.map((kind) => [keyOf(kind), kind])).values()];
}

function remembered(
  decide: (kind: WantedKind, versions: string) => boolean,
): (kind: WantedKind, versions: string) => boolean {
  const known = new Map<string, boolean>();
  return (kind, versions) => {
    const key = `${keyOf(kind)} ${versions}`;
    const decided = known.get(key) ?? decide(kind, versions);
    known.set(key, decided);
    return decided;
  };
}

/** Versions in which the same policy takes the same thing. */
function versionsOf(siblings: readonly WantedKind[], kind: WantedKind): Set<string> {
  const same = siblings.filter(
    ({ operations, group, resource, subresource, scope }) =>
      kind.operations.every((operation) => operations.includes(operation)) &&
      group === kind.group &&
      resource === kind.resource &&
      subresource === kind.subresource &&
      scope === kind.scope,
  );
  return new Set(same.map(({ version }) => version));
}

function overlaps(a: WantedKind, b: WantedKind): boolean {
  return (
    meet(a.group, b.group) &&
    meet(a.resource, b.resource) &&
    meet(a.subresource, b.subresource) &&
    (a.scope === b.scope || a.scope === '*' || b.scope === '*') &&
    a.operations.some((operation) => b.operations.includes(operation))
  );
}

function meet(a: string, b: string): boolean {
  return a === b || a === '*' || b === '*';
}

/** It becomes a part of the webhook's name, which has at most 253 characters. */
function shortLabel(label: string): string {
  return label.length <= 63 ? label : sha256(label).slice(0, 16);
}

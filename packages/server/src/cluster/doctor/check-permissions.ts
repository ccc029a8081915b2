import { isFault } from '../../kernel/fault.ts';
import type { ClusterFacts, Permission } from './cluster-facts.ts';
import { error, ok, warning, type Finding } from './finding.ts';

/** May the server do what it has to? */
export function checkPermissions({ permissions }: ClusterFacts): Finding[] {
  const findings = permissions.flatMap(({ permission, allowed }): Finding[] => {
    if (allowed === true) return [];
    const what = describe(permission);
    if (isFault(allowed)) {
      return [
        warning(
          'permissions',
          `whether ${what} is allowed cannot be asked: ${allowed.message}`,
          allowed.advice,
        ),
      ];
    }
    return [
      error(
        'permissions',
        `not allowed: ${what}, needed ${permission.purpose}`,
        `grant the verb \`${permission.verb}\` in a ${permission.namespace === undefined ? 'ClusterRole' : 'Role'} of the server's service account`,
      ),
    ];
  });
  if (findings.length === 0 && permissions.length > 0) {
    return [ok('permissions', `all ${permissions.length} permissions are granted`)];
  }
  return findings;
}

function describe({ verb, group, resource, subresource, namespace, name }: Permission): string {
  const path = subresource === undefined ? resource : `${resource}/${subresource}`;
  const kind = group === '' ? path : `${path}.${group}`;
  const which = name === undefined ? '' : ` \`${name}\``;
  return `${verb} ${kind}${which}${namespace === undefined ? '' : ` in \`${namespace}\``}`;
}

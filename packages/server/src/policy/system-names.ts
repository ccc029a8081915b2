import type { UserInfo } from '@portcullis/contract';
import { Fault } from '../kernel/fault.ts';
import { matchesGlob } from './match/glob.ts';

/** Of users and groups that Kubernetes keeps for itself: https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
export const SYSTEM_PREFIX = 'system:';
/** Everybody who is authenticated is in it, whether it is said or not. */
const HARMLESS = 'system:authenticated';
/** Nothing is ever refused to it, so that no pattern stands for it. */
const MASTERS = 'system:masters';
/** Characters of a name that are told. */
const MAX_SHOWN = 100;

/** PC_POLICY_SYSTEM_NAME for a user whose name or group only a policy may give that is allowed to. */
export function refusedName(
  { username, groups }: Pick<UserInfo, 'username' | 'groups'>,
  allowed: readonly string[] = [],
): Fault | undefined {
  if (!mayGive(username, allowed)) return refusal('user name', username);
  const group = groups.find((name) => name !== HARMLESS && !mayGive(name, allowed));
  return group === undefined ? undefined : refusal('group', group);
}

function mayGive(name: string, allowed: readonly string[]): boolean {
  if (!name.startsWith(SYSTEM_PREFIX)) return true;
  return name === MASTERS ? allowed.includes(MASTERS) : allowed.some((glob) => matchesGlob(glob, name));
}

function refusal(what: string, name: string): Fault {
  const shown = name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name;
  return new Fault(
    'PC_POLICY_SYSTEM_NAME',
    `the policy gave the ${what} \`${shown}\`, which \`spec.systemNames\` does not allow it`,
  );
}

import type { Policy } from '@portcullis/contract';

/** The policies that have code: a group's members in their order, else the policy itself. */
export function programsOf(policy: Policy): readonly [Policy, ...Policy[]] {
  const [first = policy, ...others] = policy.group === undefined ? [] : Object.values(policy.group.members);
  return [first, ...others];
}

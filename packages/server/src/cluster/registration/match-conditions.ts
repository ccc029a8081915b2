import type { FailurePolicy, MatchCondition, Policy } from '@portcullis/contract';
import { portableCondition } from './portable-condition.ts';
import type { RegistrationOptions } from './registration-options.ts';

/** More an API server refuses. */
const MAX_CONDITIONS = 64;

/** What an API server evaluates before it calls; undefined when there is nothing to ask. */
export function matchConditions(
  policies: readonly Policy[],
  failureClass: FailurePolicy,
  exclusions: readonly MatchCondition[],
  { ownUser }: RegistrationOptions,
): readonly MatchCondition[] | undefined {
  const conditions = [
    ...(ownUser === undefined
      ? []
      : [{ name: 'not-portcullis', expression: `request.userInfo.username != ${JSON.stringify(ownUser)}` }]),
    ...exclusions.map(({ name, expression }) => ({ name, expression })),
  ];
  const pushed = failureClass === 'Fail' ? pushedDown(policies) : [];
  if (conditions.length + pushed.length <= MAX_CONDITIONS) conditions.push(...pushed);
  return conditions.length === 0 ? undefined : conditions;
}

/**
 * The conditions of the only policy of a webhook, all or none: one that failed there would deny, although another that stayed
 * with us says that the policy is not concerned. Not for policies that never deny: a condition that fails would pass unseen.
 */
function pushedDown([policy, ...others]: readonly Policy[]): MatchCondition[] {
  if (policy === undefined || others.length > 0) return [];
  const portable = policy.spec.match.conditions.flatMap(({ expression }, index) => {
    const text = portableCondition(expression);
    return text === undefined ? [] : [{ name: `condition-${index + 1}`, expression: text }];
  });
  return portable.length === policy.spec.match.conditions.length ? portable : [];
}

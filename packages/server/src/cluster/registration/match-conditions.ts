import type { MatchCondition, Policy } from '@portcullis/contract';
import type { RegistrationOptions } from './registration-options.ts';

/** What an API server evaluates before it calls; undefined when there is nothing to ask. */
export function matchConditions(
  _policies: readonly Policy[],
  exclusions: readonly MatchCondition[],
  { ownUser }: RegistrationOptions,
): readonly MatchCondition[] | undefined {
  const conditions = [
    ...(ownUser === undefined
      ? []
      : [{ name: 'not-portcullis', expression: `request.userInfo.username != ${JSON.stringify(ownUser)}` }]),
    ...exclusions.map(({ name, expression }) => ({ name, expression })),
  ];
  return conditions.length === 0 ? undefined : conditions;
}

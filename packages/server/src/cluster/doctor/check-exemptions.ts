import { isFault } from '../../kernel/fault.ts';
import { exemptNamespacesOf } from '../registration/registration-options.ts';
import { KILL_SWITCH } from '../registration/registrar.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import { ok, warning, type Finding } from './finding.ts';
import { excludedUser } from './live-webhook.ts';
import { ownWebhooks } from './own-webhooks.ts';

/** What is deliberately not judged. */
export function checkExemptions(facts: ClusterFacts): Finding[] {
  const { options, isSwitchedOff, expected } = facts;
  const users = new Set(
    ownWebhooks(facts).flatMap(({ conditions }) =>
      conditions.flatMap(({ expression }) => excludedUser(expression) ?? []),
    ),
  );
  const exempt = exemptNamespacesOf(options).map((name) => `\`${name}\``);
  return [
    ...switchFindings(isSwitchedOff, options.ownNamespace),
    ok(
      'exemptions',
      exempt.length === 0 ? 'no namespace is exempt' : `exempt namespaces: ${exempt.join(', ')}`,
    ),
    ...Array.from(users, (user) => ok('exemptions', `requests of \`${user}\` are not judged`)),
    ...expected.notes.map(({ policy, level, text }): Finding => {
      const message = `policy \`${policy}\` ${text}`;
      return level === 'info'
        ? ok('policies', message)
        : warning('policies', message, 'change the policy, or leave it if that is what you want');
    }),
  ];
}

function switchFindings(isOff: ClusterFacts['isSwitchedOff'], namespace = 'default'): Finding[] {
  if (isFault(isOff)) {
    return [
      warning('kill-switch', `whether the switch is on cannot be seen: ${isOff.message}`, isOff.advice),
    ];
  }
  if (!isOff) return [];
  return [
    warning(
      'kill-switch',
      `Portcullis is switched off: there is a ConfigMap \`${KILL_SWITCH}\` in \`${namespace}\`, and nothing is judged`,
      `when the trouble is over: kubectl delete configmap ${KILL_SWITCH} -n ${namespace}`,
    ),
  ];
}

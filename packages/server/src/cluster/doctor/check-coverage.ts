import type { LabelSelector, Operation, Policy } from '@portcullis/contract';
import { isFault } from '../../kernel/fault.ts';
import { failureClassOf } from '../../policy/failure-class.ts';
import { askedPolicy, type AskedPolicy } from '../registration/asked-policy.ts';
import { admissionPath } from '../registration/describe-webhook.ts';
import { exemptNamespacesOf } from '../registration/registration-options.ts';
import type { WantedKind } from '../registration/wanted-kind.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import { error, ok, warning, type Finding } from './finding.ts';
import { excludedUser, type LiveRequirement, type LiveRule, type LiveWebhook } from './live-webhook.ts';
import { expectedWebhooks, ownWebhooks } from './own-webhooks.ts';

const NAME_LABEL = 'kubernetes.io/metadata.name';
const RESTORE =
  'let Portcullis keep the registration (`kubernetes.registration.enabled`), or register the webhook as `portcullis manifests` prints it';

/** For each policy: is it asked about every operation on every resource that it wants to judge? */
export function checkCoverage(facts: ClusterFacts): Finding[] {
  if (isFault(facts.webhooks) || facts.isSwitchedOff === true) return [];
  const findings: Finding[] = [];
  let asked = 0;
  for (const policy of facts.policies) {
    if (!policy.spec.enabled || policy.spec.gate !== 'admission' || policy.byName !== undefined) continue;
    const one = askedPolicy(policy, facts.options);
    if ('text' in one) continue;
    asked += 1;
    findings.push(...coverageOf(one, facts));
  }
  if (findings.length === 0 && asked > 0) {
    return [ok('coverage', `${asked} policies are asked about everything that they judge`)];
  }
  return findings;
}

function coverageOf(asked: AskedPolicy, facts: ClusterFacts): Finding[] {
  const { policy, kinds } = asked;
  const { name } = policy.metadata;
  const webhooks = ownWebhooks(facts).filter((webhook) => serves(webhook, policy));
  if (webhooks.length === 0) {
    const path = admissionPath(failureClassOf(policy), policy.spec.phase);
    return [error('coverage', `policy \`${name}\` is never asked: no webhook calls \`${path}\``, RESTORE)];
  }
  const missing = kinds.flatMap((kind) => uncovered(kind, webhooks));
  if (missing.length > 0) {
    const shown = [...new Set(missing)].slice(0, 5).join(', ');
    const more = missing.length > 5 ? ` and ${missing.length - 5} more` : '';
    return [
      error('coverage', `policy \`${name}\` is not asked about ${shown}${more}: no rule names it`, RESTORE),
    ];
  }
  const obstacles = webhooks.map((webhook) => obstacle(webhook, asked, facts));
  // One webhook that lets everything through is enough only when its rules are; several may share the work.
  const stopped = webhooks.flatMap((webhook, index) => {
    const found = obstacles[index];
    return found === undefined ? [] : [`webhook \`${webhook.name}\` ${found}`];
  });
  const free = webhooks.filter((_, index) => obstacles[index] === undefined);
  if (stopped.length === 0 || kinds.every((kind) => uncovered(kind, free).length === 0)) return [];
  return [
    warning('coverage', `policy \`${name}\` is not asked about everything: ${stopped.join('; ')}`, RESTORE),
  ];
}

/** The gate's own paths, and the ones that run everything or this policy alone. */
function serves({ path, phase }: LiveWebhook, policy: Policy): boolean {
  const own = policy.spec.phase;
  return (
    phase === own &&
    [
      admissionPath(failureClassOf(policy), own),
      `/admission/${own}`,
      `/${own}`,
      `/admission/${own}/${policy.metadata.name}`,
    ].includes(path)
  );
}

/** Operations of a kind that no rule covers, for people. */
function uncovered(kind: WantedKind, webhooks: readonly LiveWebhook[]): string[] {
  const rules = webhooks.flatMap((webhook) => webhook.rules);
  return kind.operations
    .filter((operation) => !isCovered(kind, operation, rules))
    .map((operation) => `${operation} ${describeKind(kind)}`);
}

function isCovered(kind: WantedKind, operation: Operation, rules: readonly LiveRule[]): boolean {
  const covers = (scope: string): boolean =>
    rules.some(
      (rule) =>
        (rule.scope === '*' || rule.scope === scope) &&
        has(rule.operations, operation) &&
        has(rule.apiGroups, kind.group) &&
        // By `matchPolicy: Equivalent` other versions of the same thing are converted.
        (has(rule.apiVersions, kind.version) || kind.version === '*') &&
        rule.resources.some((pattern) => coversResource(pattern, kind)),
    );
  return covers(kind.scope) || (kind.scope === '*' && covers('Namespaced') && covers('Cluster'));
}

function has(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

function coversResource(pattern: string, { resource, subresource }: WantedKind): boolean {
  const [name = '', sub = ''] = pattern.split('/');
  return (name === '*' || name === resource) && (sub === '*' || sub === subresource);
}

function describeKind({ group, resource, subresource, scope }: WantedKind): string {
  const path = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = group === '' ? path : `${path} (${group})`;
  return scope === '*' ? `\`${where}\`` : `\`${where}\` in scope ${scope}`;
}

/** Why requests that the policy judges may not reach this webhook. */
function obstacle(webhook: LiveWebhook, asked: AskedPolicy, facts: ClusterFacts): string | undefined {
  const { match } = asked.policy.spec;
  const namespaced = webhook.namespaceRequirements.find(
    (requirement) => !isHarmless(requirement, asked, facts) && !isIn(requirement, match.namespaceSelector),
  );
  if (namespaced !== undefined)
    return `leaves out namespaces by its selector ${describeRequirement(namespaced)}`;
  const objects = webhook.objectRequirements.find((requirement) => !isIn(requirement, match.objectSelector));
  if (objects !== undefined) return `leaves out objects by its selector ${describeRequirement(objects)}`;
  const known = new Set(
    expectedWebhooks(facts).flatMap(({ conditions }) => conditions.map(({ expression }) => expression)),
  );
  const foreign = webhook.conditions.find(
    ({ expression }) => !known.has(expression) && excludedUser(expression) === undefined,
  );
  return foreign === undefined ? undefined : `has a condition \`${foreign.name}\` that is not ours`;
}

/** Whether it leaves out only what is exempt, or what the policy does not judge. */
function isHarmless(
  { key, operator, values }: LiveRequirement,
  { reach }: AskedPolicy,
  { options }: ClusterFacts,
): boolean {
  if (key !== NAME_LABEL) return false;
  const exempt = exemptNamespacesOf(options);
  if (operator === 'NotIn') {
    return values.every(
      (name) =>
        exempt.includes(name) ||
        reach.isExcluded(name) ||
        (reach.only !== undefined && !reach.only.includes(name)),
    );
  }
  return (
    operator === 'In' &&
    reach.only !== undefined &&
    reach.only.every((name) => exempt.includes(name) || values.includes(name))
  );
}

function isIn({ key, operator, values }: LiveRequirement, selector: LabelSelector | undefined): boolean {
  if (selector === undefined) return false;
  if (operator === 'In' && values.length === 1 && selector.matchLabels[key] === values[0]) return true;
  return selector.matchExpressions.some(
    (own) =>
      own.key === key &&
      own.operator === operator &&
      own.values.length === values.length &&
      own.values.every((value) => values.includes(value)),
  );
}

function describeRequirement({ key, operator, values }: LiveRequirement): string {
  return `\`${key} ${operator}${values.length === 0 ? '' : ` (${values.join(', ')})`}\``;
}

import type { FailurePolicy, JsonObject, Phase, Policy } from '@portcullis/contract';
import { failureClassOf } from '../../policy/failure-class.ts';
import { askedPolicy, type AskedPolicy } from './asked-policy.ts';
import { describeWebhook, needsMoreTime } from './describe-webhook.ts';
import {
  registrationName,
  type Registration,
  type RegistrationNote,
  type RegistrationOptions,
} from './registration-options.ts';
import { trafficExclusions } from './traffic-exclusions.ts';
import { versionGroups } from './version-groups.ts';

const KINDS: Readonly<Record<Phase, string>> = {
  validate: 'ValidatingWebhookConfiguration',
  mutate: 'MutatingWebhookConfiguration',
};
const CLASSES: readonly FailurePolicy[] = ['Fail', 'Ignore'];

/**
 * The webhook configurations of a policy set: one webhook for each phase and each thing that our absence can mean, with the
 * narrowest rules and selectors that still ask every policy about whatever it may match. The same policies give the same
 * documents, in whatever order they come.
 */
export function describeRegistration(
  policies: readonly Policy[],
  options: RegistrationOptions,
): Registration {
  const notes: RegistrationNote[] = [];
  const asked: AskedPolicy[] = [];
  for (const policy of [...policies].sort(byName)) {
    if (!policy.spec.enabled || policy.spec.gate !== 'admission' || policy.byName !== undefined) continue;
    const one = askedPolicy(policy, options);
    if ('text' in one) notes.push(one);
    else asked.push(one);
  }
  const validating = configuration('validate', asked, options, notes);
  const mutating = configuration('mutate', asked, options, notes);
  notes.push(...asked.flatMap(unaskedTraffic));
  return {
    ...(validating === undefined ? {} : { validating }),
    ...(mutating === undefined ? {} : { mutating }),
    notes,
  };
}

function configuration(
  phase: Phase,
  all: readonly AskedPolicy[],
  options: RegistrationOptions,
  notes: RegistrationNote[],
): JsonObject | undefined {
  const webhooks = CLASSES.flatMap((failureClass) => {
    const asked = all.filter(
      ({ policy }) => policy.spec.phase === phase && failureClassOf(policy) === failureClass,
    );
    const slow = needsMoreTime(asked, phase, options);
    if (slow !== undefined) notes.push(slow);
    return versionGroups(asked).map((group) => describeWebhook(group, phase, failureClass, options));
  });
  if (webhooks.length === 0) return undefined;
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: KINDS[phase],
    metadata: {
      name: registrationName(options),
      labels: { 'app.kubernetes.io/managed-by': 'portcullis' },
    },
    webhooks,
  };
}

function unaskedTraffic({ policy, kinds }: AskedPolicy): RegistrationNote[] {
  const what = trafficExclusions(kinds).map((traffic) => traffic.what);
  if (what.length === 0) return [];
  return [
    {
      policy: policy.metadata.name,
      level: 'info',
      text: `is not asked about ${what.join(', ')}, which its rules take by a wildcard only: name these resources in a rule to judge them`,
    },
  ];
}

function byName(a: Policy, b: Policy): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

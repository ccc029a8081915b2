import type { Cause, Contribution, Decision, JsonPatch, Policy, Verdict } from '@portcullis/contract';
import type { Finding } from './finding.ts';

/** A verdict on its way to the client: only an allow or a denial is left of it when all steps are through. */
type Step = (verdict: Verdict, finding: Finding) => Verdict;

/**
 * The steps between what a policy said and what the client is told, in their order.
 * Failure policy first: what a fault means has to be known before an exception or the mode can soften it.
 */
const STEPS: readonly Step[] = [applyFailurePolicy, applyException, applyMode, applyMessage];

/** The verdict that counts. */
export function settle(finding: Finding): Verdict {
  return STEPS.reduce((verdict, step) => step(verdict, finding), finding.verdict);
}

function applyFailurePolicy(verdict: Verdict, { loaded: { policy, phrases } }: Finding): Verdict {
  if (verdict.outcome !== 'fault') return verdict;
  if (policy.spec.failurePolicy === 'Ignore') {
    return {
      outcome: 'allow',
      warnings: [`${named(phrases.ignored, policy)}: ${verdict.message}`],
      auditAnnotations: {},
    };
  }
  return {
    outcome: 'deny',
    message: `${named(phrases.refused, policy)}: ${verdict.message}`,
    reason: phrases.reason,
    causes: [],
    warnings: [],
    auditAnnotations: {},
  };
}

function named(phrase: string, { metadata }: Policy): string {
  return phrase.replace('{policy}', () => metadata.name);
}

/** The policy was asked all the same, and what it said is in the audit log. */
function applyException(verdict: Verdict, { exception }: Finding): Verdict {
  if (exception === undefined) return verdict;
  if (verdict.outcome === 'deny') {
    const { warnings, auditAnnotations, message } = verdict;
    return {
      outcome: 'allow',
      warnings,
      auditAnnotations: { ...auditAnnotations, excepted: `${exception}: ${message}` },
    };
  }
  if (verdict.outcome !== 'allow' || verdict.mutation === undefined) return verdict;
  const { mutation: _unwanted, ...rest } = verdict;
  return { ...rest, auditAnnotations: { ...rest.auditAnnotations, excepted: exception } };
}

function applyMode(verdict: Verdict, { loaded }: Finding): Verdict {
  const { policy } = loaded;
  const { mode } = policy.spec;
  if (mode === 'enforce') return verdict;
  const quiet = mode === 'audit';
  if (verdict.outcome === 'deny') {
    return {
      outcome: 'allow',
      warnings: quiet
        ? []
        : [...verdict.warnings, `would be denied: ${policy.spec.message ?? verdict.message}`],
      auditAnnotations: { ...verdict.auditAnnotations, denied: verdict.message },
    };
  }
  if (verdict.outcome !== 'allow') return verdict;
  const { mutation, warnings, ...rest } = verdict;
  if (mutation === undefined && !quiet) return verdict;
  const told = mutation === undefined || quiet ? [] : ['would be changed'];
  return { ...rest, warnings: quiet ? [] : [...warnings, ...told] };
}

function applyMessage(verdict: Verdict, { loaded }: Finding): Verdict {
  const { message } = loaded.policy.spec;
  if (message === undefined || verdict.outcome !== 'deny') return verdict;
  return { ...verdict, message, causes: [{ message: verdict.message }, ...verdict.causes] };
}

export interface Settled {
  readonly finding: Finding;
  readonly verdict: Verdict;
}

/** One decision out of all verdicts: denied by any denial, with everything that all of them said. */
export function combine(settled: readonly Settled[], patch: JsonPatch, revision: number): Decision {
  const messages: string[] = [];
  const causes: Cause[] = [];
  const warnings: string[] = [];
  const auditAnnotations: Record<string, string> = {};
  let reason: string | undefined;
  let code: number | undefined;
  let denied = false;

  for (const { finding, verdict } of settled) {
    const { name } = finding.loaded.policy.metadata;
    if (verdict.outcome !== 'allow' && verdict.outcome !== 'deny') {
      // Settled verdicts of this gate are allow or deny; anything else, known or not, must never pass as an allow.
      denied = true;
      messages.push(`[${name}] policy gave no answer`);
      continue;
    }
    for (const warning of verdict.warnings) warnings.push(`[${name}] ${warning}`);
    for (const [key, value] of Object.entries(verdict.auditAnnotations)) {
      auditAnnotations[`${name}/${key}`] = value;
    }
    if (verdict.outcome !== 'deny') continue;
    denied = true;
    messages.push(`[${name}] ${verdict.message}`);
    for (const cause of verdict.causes) causes.push({ ...cause, message: `[${name}] ${cause.message}` });
    reason ??= verdict.reason;
    code ??= verdict.code;
  }

  const contributions = settled.map(({ finding }) => contributionOf(finding));
  if (!denied) {
    return {
      outcome: 'allow',
      causes,
      warnings,
      auditAnnotations,
      contributions,
      revision,
      ...(patch.length > 0 ? { patch } : {}),
    };
  }
  return {
    outcome: 'deny',
    message: messages.join('; '),
    ...(reason === undefined ? {} : { reason }),
    ...(code === undefined ? {} : { code }),
    causes,
    warnings,
    auditAnnotations,
    contributions,
    revision,
  };
}

export function contributionOf({
  loaded,
  verdict,
  exception,
  keptFields = 0,
  durationMs,
  fuel,
  memoryBytes,
}: Finding): Contribution {
  const { metadata, spec } = loaded.policy;
  return {
    policy: metadata.name,
    outcome: verdict.outcome,
    mode: spec.mode,
    failurePolicy: spec.failurePolicy,
    durationMs,
    fuel,
    memoryBytes,
    ...(exception === undefined ? {} : { exception }),
    ...(verdict.outcome === 'deny' || verdict.outcome === 'fault' ? { message: verdict.message } : {}),
    ...(verdict.outcome === 'fault' ? { fault: verdict.code } : {}),
    ...(keptFields === 0 ? {} : { keptFields }),
  };
}

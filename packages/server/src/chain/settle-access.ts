import type { Abstain, Allow, Deny, Verdict } from '@portcullis/contract';
import { Fault } from '../kernel/fault.ts';
import { createTokenHider } from '../policy/review-token.ts';
import { refusedName } from '../policy/system-names.ts';
import type { Review } from '@portcullis/contract';
import { faulted } from './ask.ts';
import type { Finding } from './finding.ts';

/** What is left of a verdict when all steps are through. Abstain: the next policy is asked. */
export type AccessVerdict = Allow | Deny | Abstain;

/** What a token has to be good for. */
export interface Audiences {
  /** Those that the caller asks for; empty: those of the API server. */
  readonly wanted: readonly string[];
  /** Those of the API server; empty: not known here, it compares them itself. */
  readonly own: readonly string[];
}

const NOTHING = { warnings: [], auditAnnotations: {} } as const;

/** A finding whose texts hold nothing of the token, and whose allow has a user that the policy may make: whatever engine it comes from. */
export function checkFinding(finding: Finding, review: Review): Finding {
  if (review.gate !== 'authentication') return finding;
  return { ...finding, verdict: withoutToken(checkUser(finding), createTokenHider(review)) };
}

function checkUser({ verdict, loaded }: Finding): Verdict {
  if (verdict.outcome !== 'allow') return verdict;
  const { user } = verdict;
  if (user === undefined || user.username === '') {
    return faulted(new Fault('PC_POLICY_USER', 'the policy authenticated without a username'));
  }
  const refused = refusedName(user, loaded.policy.spec.systemNames);
  return refused === undefined ? verdict : faulted(refused);
}

function withoutToken(verdict: Verdict, hide: (text: string) => string): Verdict {
  if (verdict.outcome === 'fault') {
    // The words of an unforeseen error may quote anything.
    return {
      ...verdict,
      message: verdict.code === 'PC_INTERNAL' ? 'unexpected error' : hide(verdict.message),
    };
  }
  const told = verdict.error === undefined ? {} : { error: hide(verdict.error) };
  if (verdict.outcome === 'deny')
    return { ...verdict, ...told, ...NOTHING, message: hide(verdict.message), causes: [] };
  return {
    ...verdict,
    ...told,
    ...NOTHING,
    ...(verdict.message === undefined ? {} : { message: hide(verdict.message) }),
  };
}

/**
 * A fault never authenticates, and what another policy knows counts all the same: Fail tells the API server of it, which then does
 * not remember the answer; Ignore does not. A policy that only warns or audits authenticates nobody.
 */
export function settleAuthentication({ verdict, loaded }: Finding, audiences: Audiences): AccessVerdict {
  const { mode, failurePolicy } = loaded.policy.spec;
  if (mode !== 'enforce') return { outcome: 'abstain', ...NOTHING };
  if (verdict.outcome === 'fault') {
    return {
      outcome: 'abstain',
      ...NOTHING,
      ...(failurePolicy === 'Fail' ? { error: verdict.message } : {}),
    };
  }
  return verdict.outcome === 'allow' ? withinAudiences(verdict, audiences) : verdict;
}

/** With the audiences that were wanted and are granted; without any of them the token is as good as unknown. */
function withinAudiences(verdict: Allow, { wanted, own }: Audiences): AccessVerdict {
  const asked = wanted.length === 0 ? own : wanted;
  const granted = verdict.audiences === undefined || verdict.audiences.length === 0 ? own : verdict.audiences;
  // Where the API server's own are not known here, it does what is left to do.
  if (granted.length === 0 || asked.length === 0) return verdict;
  const audiences = [...new Set(asked)].filter((audience) => granted.includes(audience));
  return audiences.length === 0 ? { outcome: 'abstain', ...NOTHING } : { ...verdict, audiences };
}

/**
 * A fault denies under Fail, for policies that are there to deny, and is no opinion under Ignore. A policy that only warns or audits
 * never has an opinion; what it would have said is in the reason that the client is told, or only in the record.
 */
export function settleAuthorization(finding: Finding): AccessVerdict {
  const { mode, message } = finding.loaded.policy.spec;
  const verdict = applyFailurePolicy(finding);
  if (mode === 'audit') return { outcome: 'abstain', ...NOTHING };
  if (mode === 'warn') return asWarning(verdict);
  return verdict.outcome === 'deny' && message !== undefined ? { ...verdict, message } : verdict;
}

function applyFailurePolicy({ verdict, loaded }: Finding): AccessVerdict {
  if (verdict.outcome !== 'fault') return verdict;
  const error = verdict.message;
  if (loaded.policy.spec.failurePolicy === 'Ignore') return { outcome: 'abstain', ...NOTHING, error };
  return { outcome: 'deny', message: 'the policy could not answer', causes: [], ...NOTHING, error };
}

function asWarning(verdict: AccessVerdict): AccessVerdict {
  if (verdict.outcome === 'abstain') return verdict;
  const { message, error } = verdict;
  const would = verdict.outcome === 'deny' ? 'would be denied' : 'would be allowed';
  return {
    outcome: 'abstain',
    ...NOTHING,
    message: message === undefined ? would : `${would}: ${message}`,
    ...(error === undefined ? {} : { error }),
  };
}

import type { Remarks, Verdict } from '@portcullis/contract';
import type { Fault } from '../../kernel/fault.ts';
import { unreadable, type AnswerReader } from './answer-reader.ts';

const KIND = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', mayBeMissing: true };

/** The verdict in a SubjectAccessReview: allow, deny, or abstain, each with the reason. A denial counts more than an allow beside it. */
export function authorizationVerdict(answer: AnswerReader): Verdict | Fault {
  answer.expectKind(KIND);
  const status = answer.object('status');
  const allowed = status?.flag('allowed');
  const denied = status?.flag('denied') ?? false;
  const reason = status?.text('reason');
  const error = status?.text('evaluationError');
  if (answer.problem !== undefined) return answer.problem;
  if (status === undefined) return unreadable('its answer has no `status`');
  // A denial that leaves `allowed` out is one: as a fault it would be no opinion under Ignore.
  if (denied) return denial(allowed, reason, error);
  if (allowed === undefined) return unreadable('`allowed` is missing in its answer');
  return {
    outcome: allowed ? 'allow' : 'abstain',
    ...(reason ? { message: reason } : {}),
    ...remarks(error),
  };
}

function denial(
  allowed: boolean | undefined,
  reason: string | undefined,
  error: string | undefined,
): Verdict {
  const contradiction = allowed ? 'the answer is both allowed and denied' : undefined;
  return {
    outcome: 'deny',
    message: reason || 'denied by policy',
    causes: [],
    ...remarks(error || contradiction),
  };
}

function remarks(error: string | undefined): Remarks {
  return { warnings: [], auditAnnotations: {}, ...(error ? { error } : {}) };
}

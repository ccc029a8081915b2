import type { UserInfo, Verdict } from '@portcullis/contract';
import type { Fault } from '../../kernel/fault.ts';
import { reported, unreadable, type AnswerReader } from './answer-reader.ts';

const KIND = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', mayBeMissing: true };
const NO_REMARKS = { warnings: [], auditAnnotations: {} };

/**
 * The verdict in a TokenReview: allow with the user, or abstain. Which of the audiences count is the gate's matter, since it knows
 * those of the server.
 */
export function authenticationVerdict(answer: AnswerReader): Verdict | Fault {
  answer.expectKind(KIND);
  const status = answer.object('status');
  // Encoders of Kubernetes' own types leave false out.
  const authenticated = status?.flag('authenticated') ?? false;
  const error = status?.text('error');
  const user = readUser(status?.object('user'));
  const audiences = status?.texts('audiences') ?? [];
  if (answer.problem !== undefined) return answer.problem;
  if (status === undefined) return unreadable('its answer has no `status`');
  if (!authenticated) return error ? reported(error) : { outcome: 'abstain', ...NO_REMARKS };
  // Kubernetes would take a request of nobody for one of a user without any name.
  if (user === undefined) return unreadable('it authenticated without a username');
  return { outcome: 'allow', ...NO_REMARKS, user, ...(audiences.length === 0 ? {} : { audiences }) };
}

/** Undefined when it has no name. */
function readUser(user: AnswerReader | undefined): UserInfo | undefined {
  const username = user?.text('username');
  const uid = user?.text('uid');
  const groups = user?.texts('groups') ?? [];
  const extra = user?.textsMap('extra') ?? {};
  return username ? { username, ...(uid ? { uid } : {}), groups, extra } : undefined;
}

import type { Decision, DecisionRecord, Phase, Review } from '@portcullis/contract';
import { isAccessGate } from '../policy/access-gate.ts';
import { createTokenHider } from '../policy/review-token.ts';

interface Outcome {
  readonly decision: Decision | undefined;
  readonly durationMs: number;
  readonly time: number;
}

type Said = Pick<
  Decision,
  'message' | 'warnings' | 'auditAnnotations' | 'contributions' | 'named' | 'revision' | 'patch'
> & {
  readonly outcome: DecisionRecord['outcome'];
};

const UNDECIDED: Said = {
  outcome: 'unknown',
  warnings: [],
  auditAnnotations: {},
  contributions: [],
  revision: 0,
};

/** What is kept of a decision. Without a decision the outcome is `unknown`: reported all the same. */
export function recordOf(
  review: Review,
  { phase, traceParent }: { readonly phase: Phase; readonly traceParent?: string },
  { decision, durationMs, time }: Outcome,
): DecisionRecord {
  const said: Said = decision ?? UNDECIDED;
  const record: DecisionRecord = {
    time,
    gate: review.gate,
    phase,
    uid: review.uid,
    operation: review.operation,
    kind: review.kind,
    resource: review.resource,
    subresource: review.subresource,
    namespace: review.namespace,
    name: review.name,
    user: review.user.username,
    dryRun: review.dryRun,
    outcome: said.outcome,
    ...(said.message === undefined ? {} : { message: said.message }),
    patched: said.patch !== undefined,
    warnings: said.warnings.length,
    auditAnnotations: said.auditAnnotations,
    contributions: said.contributions,
    revision: said.revision,
    durationMs,
    ...(traceParent === undefined ? {} : { traceParent }),
  };
  if (said.named !== undefined) return { ...record, named: said.named };
  return isAccessGate(review.gate) ? withAccess(record, review, decision) : record;
}

function withAccess(record: DecisionRecord, review: Review, decision: Decision | undefined): DecisionRecord {
  const { verb, path } = review;
  return {
    ...record,
    user: userOf(review, decision),
    ...(verb === undefined ? {} : { verb }),
    ...(path === undefined ? {} : { path }),
  };
}

/** A policy may make a name out of the token. */
function userOf(review: Review, decision: Decision | undefined): string {
  const name = decision?.user?.username;
  if (name === undefined) return review.user.username;
  return createTokenHider(review)(name);
}

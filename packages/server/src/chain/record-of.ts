import type { Decision, DecisionRecord, Phase, Review } from '@portcullis/contract';
import { createTokenHider, tokenOf } from '../policy/review-token.ts';

interface Outcome {
  readonly decision: Decision | undefined;
  readonly durationMs: number;
  readonly time: number;
}

/** What is kept of a decision. Without a decision the outcome is `unknown`: reported all the same. */
export function recordOf(
  review: Review,
  { phase, traceParent }: { readonly phase: Phase; readonly traceParent?: string },
  { decision, durationMs, time }: Outcome,
): DecisionRecord {
  return {
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
    user: userOf(review, decision),
    ...wishOf(review),
    dryRun: review.dryRun,
    outcome: decision?.outcome ?? 'unknown',
    ...saidOf(decision),
    durationMs,
    ...(traceParent === undefined ? {} : { traceParent }),
  };
}

type Said = Pick<
  DecisionRecord,
  'message' | 'patched' | 'warnings' | 'auditAnnotations' | 'contributions' | 'revision'
>;

function saidOf(decision: Decision | undefined): Said {
  if (decision === undefined) {
    return { patched: false, warnings: 0, auditAnnotations: {}, contributions: [], revision: 0 };
  }
  const { message, patch, warnings, auditAnnotations, contributions, revision } = decision;
  return {
    ...(message === undefined ? {} : { message }),
    patched: patch !== undefined,
    warnings: warnings.length,
    auditAnnotations,
    contributions,
    revision,
  };
}

function wishOf({ verb, path }: Review): Pick<DecisionRecord, 'verb' | 'path'> {
  return { ...(verb === undefined ? {} : { verb }), ...(path === undefined ? {} : { path }) };
}

/** A policy may make a name out of the token. */
function userOf(review: Review, decision: Decision | undefined): string {
  const name = decision?.user?.username;
  if (name === undefined) return review.user.username;
  const token = tokenOf(review);
  return token === undefined ? name : createTokenHider(token)(name);
}

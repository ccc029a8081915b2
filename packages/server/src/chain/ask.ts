import type { Review, Verdict } from '@portcullis/contract';
import { Fault, isFault } from '../kernel/fault.ts';
import type { Clock, NamespaceAppears } from '../kernel/ports.ts';
import type { Finding } from './finding.ts';
import type { LoadedPolicy } from './loaded-policy.ts';

export interface AskPorts {
  readonly clock: Clock;
  readonly namespaceAppears: NamespaceAppears;
}

/** Milliseconds. `kubectl apply` sends what is in a new namespace sooner than a watch can tell of it. */
const NAMESPACE_PATIENCE = 1000;

/** Puts one review to one policy. Undefined when the policy does not concern it. Never rejects. */
export async function ask(
  loaded: LoadedPolicy,
  review: Review,
  { clock, namespaceAppears }: AskPorts,
): Promise<Finding | undefined> {
  const started = clock.now();
  try {
    let matches = loaded.matcher.matchesObject(review);
    if (isFault(matches) && matches.code === 'PC_POLICY_NAMESPACE') {
      const patience = Math.min(NAMESPACE_PATIENCE, review.deadline - started);
      if (await namespaceAppears(review.namespace, patience)) matches = loaded.matcher.matchesObject(review);
    }
    if (matches === false) return undefined;
    if (isFault(matches))
      return excepted(found(loaded, faulted(matches), clock.now() - started), review, clock);
    const deadline = Math.min(review.deadline, started + loaded.policy.spec.limits.timeoutMs);
    const { verdict, fuel, memoryBytes } = await loaded.evaluator.evaluate(review, deadline);
    const durationMs = clock.now() - started;
    return excepted({ loaded, verdict, durationMs, fuel, memoryBytes }, review, clock);
  } catch (error) {
    // A matcher or an engine that throws broke its contract; the request still gets an explicit fault.
    return excepted(found(loaded, faulted(Fault.from(error)), clock.now() - started), review, clock);
  }
}

/** With the exception that covers the review, if the verdict would do anything to it. */
function excepted(finding: Finding, review: Review, clock: Clock): Finding {
  const { verdict, loaded } = finding;
  const isHarmless = verdict.outcome === 'allow' && verdict.mutation === undefined;
  if (isHarmless || loaded.exceptions.length === 0) return finding;
  const now = clock.wall();
  const exception = loaded.exceptions.find((candidate) => candidate.covers(review, now));
  return exception === undefined ? finding : { ...finding, exception: exception.name };
}

function found(loaded: LoadedPolicy, verdict: Verdict, durationMs: number): Finding {
  return { loaded, verdict, durationMs, fuel: 0, memoryBytes: 0 };
}

export function faulted(fault: Fault): Verdict {
  return { outcome: 'fault', code: fault.code, message: fault.message };
}

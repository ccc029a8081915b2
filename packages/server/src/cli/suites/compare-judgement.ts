import { isDeepStrictEqual } from 'node:util';
import type { Judgement } from '../offline/offline-server.ts';
import type { Expectation } from './suite-schema.ts';

/** Every difference between what happened and what a case expects. */
export function compareJudgement(
  judgement: Judgement,
  expected: Expectation,
  policy: string,
): readonly string[] {
  const decisions =
    judgement.validate === undefined ? [judgement.mutate] : [judgement.mutate, judgement.validate];
  const contributions = decisions.flatMap((decision) => decision.contributions);
  const message = decisions.flatMap((decision) => decision.message ?? []).join('; ');
  const warnings = decisions.flatMap((decision) => decision.warnings);
  const failures: string[] = [];
  const fail = (what: string, wanted: unknown, found: unknown): void => {
    failures.push(`${what}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`);
  };

  const allowed = judgement.outcome === 'allow';
  if (allowed !== expected.allowed) fail('allowed', expected.allowed, message === '' ? allowed : message);
  const matched = contributions.length > 0;
  if (matched !== (expected.matched ?? true)) {
    failures.push(
      matched
        ? 'the policy concerns this review, expected not'
        : 'the policy does not concern this review; see its `match`',
    );
  }
  if (expected.message !== undefined && !message.includes(expected.message))
    fail('message', expected.message, message);
  const reason = decisions.find((decision) => decision.reason !== undefined)?.reason;
  if (expected.reason !== undefined && reason !== expected.reason) fail('reason', expected.reason, reason);
  for (const wanted of expected.warnings ?? []) {
    if (!warnings.some((warning) => warning.includes(wanted))) fail('warnings', wanted, warnings);
  }
  if (expected.warnings?.length === 0 && warnings.length > 0) fail('warnings', [], warnings);
  const fault = contributions.find((contribution) => contribution.fault !== undefined)?.fault;
  if (expected.fault !== undefined && fault !== expected.fault) fail('fault', expected.fault, fault);

  const annotations: Record<string, string> = Object.assign(
    {},
    ...decisions.map((item) => item.auditAnnotations),
  );
  for (const [key, wanted] of Object.entries(expected.auditAnnotations ?? {})) {
    const found = annotations[key] ?? annotations[`${policy}/${key}`];
    if (found !== wanted) fail(`auditAnnotations.${key}`, wanted, found);
  }
  if (expected.patched !== undefined) {
    const found: unknown = judgement.object === undefined ? undefined : JSON.parse(judgement.object);
    if (!contains(found, expected.patched)) fail('patched', expected.patched, found);
  }
  return failures;
}

/** Objects may hold more than is expected; arrays and scalars must be equal. */
function contains(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted))
    return isDeepStrictEqual(found, wanted);
  if (typeof found !== 'object' || found === null) return false;
  return Object.entries(wanted).every(([key, value]) =>
    contains((found as Record<string, unknown>)[key], value),
  );
}

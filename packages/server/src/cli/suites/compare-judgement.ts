import { isDeepStrictEqual } from 'node:util';
import type { Decision } from '@portcullis/contract';
import type { Judgement } from '../offline/offline-server.ts';
import type { Expectation } from './suite-schema.ts';

/** What both phases said, side by side. */
interface Observed {
  readonly judgement: Judgement;
  readonly decisions: readonly Decision[];
  readonly message: string;
  readonly warnings: readonly string[];
  readonly policy: string;
}

/** One expectation held against what was observed; empty when it is met or not stated. */
type Check = (expected: Expectation, observed: Observed) => readonly string[];

const CHECKS: readonly Check[] = [
  checkAllowed,
  checkMatched,
  checkMessage,
  checkReason,
  checkWarnings,
  checkFault,
  checkAnnotations,
  checkPatched,
  checkDenied,
  checkUser,
  checkAudiences,
  checkError,
];

/** Every difference between what happened and what a case expects. */
export function compareJudgement(
  judgement: Judgement,
  expected: Expectation,
  policy: string,
): readonly string[] {
  const { decisions } = judgement;
  const observed: Observed = {
    judgement,
    decisions,
    message: decisions.flatMap((decision) => decision.message ?? []).join('; '),
    warnings: decisions.flatMap((decision) => decision.warnings),
    policy,
  };
  return CHECKS.flatMap((check) => check(expected, observed));
}

function checkAllowed({ allowed }: Expectation, { judgement, message }: Observed): readonly string[] {
  const found = judgement.outcome === 'allow';
  return found === allowed ? [] : [differs('allowed', allowed, message === '' ? found : message)];
}

function checkMatched({ matched = true }: Expectation, { decisions }: Observed): readonly string[] {
  const found = decisions.some(({ contributions }) => contributions.length > 0);
  if (found === matched) return [];
  return [
    found
      ? 'the policy concerns this review, expected not'
      : 'the policy does not concern this review; see its `match`',
  ];
}

function checkMessage({ message: wanted }: Expectation, { message }: Observed): readonly string[] {
  return wanted === undefined || message.includes(wanted) ? [] : [differs('message', wanted, message)];
}

function checkReason({ reason: wanted }: Expectation, { decisions }: Observed): readonly string[] {
  const found = decisions.find(({ reason }) => reason !== undefined)?.reason;
  return wanted === undefined || wanted === found ? [] : [differs('reason', wanted, found)];
}

function checkWarnings({ warnings: wanted }: Expectation, { warnings }: Observed): readonly string[] {
  if (wanted === undefined) return [];
  if (wanted.length === 0) return warnings.length === 0 ? [] : [differs('warnings', [], warnings)];
  return wanted
    .filter((text) => !warnings.some((warning) => warning.includes(text)))
    .map((text) => differs('warnings', text, warnings));
}

function checkFault({ fault: wanted }: Expectation, { decisions }: Observed): readonly string[] {
  const found = decisions.flatMap(({ contributions }) => contributions.flatMap(({ fault }) => fault ?? []));
  return wanted === undefined || found.includes(wanted) ? [] : [differs('fault', wanted, found)];
}

function checkAnnotations({ auditAnnotations: wanted }: Expectation, observed: Observed): readonly string[] {
  const found = new Map(
    observed.decisions.flatMap(({ auditAnnotations }) => Object.entries(auditAnnotations)),
  );
  return Object.entries(wanted ?? {}).flatMap(([key, value]) => {
    const actual = found.get(key) ?? found.get(`${observed.policy}/${key}`);
    return actual === value ? [] : [differs(`auditAnnotations.${key}`, value, actual)];
  });
}

function checkPatched({ patched: wanted }: Expectation, { judgement }: Observed): readonly string[] {
  if (wanted === undefined) return [];
  const found: unknown = judgement.object?.value();
  return contains(found, wanted) ? [] : [differs('patched', wanted, found)];
}

function checkDenied({ denied: wanted }: Expectation, { judgement }: Observed): readonly string[] {
  const found = judgement.outcome === 'deny';
  return wanted === undefined || wanted === found ? [] : [differs('denied', wanted, found)];
}

function checkUser({ user: wanted }: Expectation, { decisions }: Observed): readonly string[] {
  const found = decisions.find(({ user }) => user !== undefined)?.user;
  return wanted === undefined || contains(found, wanted) ? [] : [differs('user', wanted, found)];
}

function checkAudiences({ audiences: wanted }: Expectation, { decisions }: Observed): readonly string[] {
  const found = decisions.find(({ audiences }) => audiences !== undefined)?.audiences;
  return wanted === undefined || isDeepStrictEqual(found, wanted)
    ? []
    : [differs('audiences', wanted, found)];
}

function checkError({ error: wanted }: Expectation, { decisions }: Observed): readonly string[] {
  const found = decisions.find(({ error }) => error !== undefined)?.error;
  return wanted === undefined || found?.includes(wanted) === true ? [] : [differs('error', wanted, found)];
}

function differs(what: string, wanted: unknown, found: unknown): string {
  return `${what}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`;
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

import { isDeepStrictEqual } from 'node:util';
import { applyPatch } from './apply-patch.ts';
import { isJsonObject, type JsonValue } from './json-value.ts';
import type { PluginAnswer } from './plugin-answer.ts';
import type { PluginHarness } from './plugin-harness.ts';
import { createPluginInput } from './plugin-input.ts';
import type { Expectation, TestCase } from './test-suite.ts';

/** What was expected and not found, for people; empty when the case passes. */
export type TestResult = readonly string[] | 'skipped';

/**
 * Runs one case. Skipped: cases about what a policy matches, which is not the module's business, and questions of other
 * gates; the command `portcullis test` runs them.
 */
export function runTestCase(harness: PluginHarness, item: TestCase): TestResult {
  if (item.review === undefined || item.expect.matched === false) return 'skipped';
  const answer = harness.evaluate(createPluginInput(item.review, item.settings));
  return CHECKS.flatMap((check) => check(item.expect, answer, item));
}

type Check = (expected: Expectation, answer: PluginAnswer, item: TestCase) => readonly string[];

const CHECKS: readonly Check[] = [
  ({ allowed }, answer) => differs('allowed', allowed, answer.outcome === 'allow', textOf(answer)),
  ({ message }, answer) =>
    message === undefined || textOf(answer).includes(message)
      ? []
      : differs('message', message, textOf(answer)),
  ({ reason }, answer) => (reason === undefined ? [] : differs('reason', reason, answer.reason)),
  ({ warnings }, answer) => checkWarnings(warnings, answer.warnings),
  ({ auditAnnotations }, answer) =>
    Object.entries(auditAnnotations ?? {}).flatMap(([key, value]) =>
      differs(`auditAnnotations.${key}`, value, answer.auditAnnotations[key]),
    ),
  ({ fault }, answer) => (fault === undefined ? [] : differs('fault', 'fault', answer.outcome)),
  checkMutation,
];

function textOf(answer: PluginAnswer): string {
  return answer.message ?? answer.errors.map(({ message }) => message).join('; ');
}

function checkWarnings(wanted: readonly string[] | undefined, found: readonly string[]): readonly string[] {
  if (wanted === undefined) return [];
  if (wanted.length === 0) return differs('warnings', [], found);
  return wanted.flatMap((text) =>
    found.some((warning) => warning.includes(text)) ? [] : differs('warnings', text, found),
  );
}

function checkMutation({ patched }: Expectation, answer: PluginAnswer, item: TestCase): readonly string[] {
  if (answer.patch !== undefined && item.phase !== 'mutate') {
    return ['the module returned a patch but its policy has `phase: validate`'];
  }
  if (patched === undefined) return [];
  try {
    const found = mutated(answer, item.review?.object ?? null);
    return contains(found, patched) ? [] : differs('patched', patched, found);
  } catch (error) {
    return [`the patch does not apply: ${(error as Error).message}`];
  }
}

function mutated(answer: PluginAnswer, object: JsonValue): JsonValue {
  if (answer.mutatedObject !== undefined) return answer.mutatedObject;
  return answer.patch === undefined ? object : applyPatch(object, answer.patch);
}

/** Objects may hold more than is expected; lists and scalars must be equal. */
function contains(found: JsonValue | undefined, wanted: JsonValue): boolean {
  if (!isJsonObject(wanted)) return isDeepStrictEqual(found, wanted);
  return isJsonObject(found) && Object.entries(wanted).every(([key, value]) => contains(found[key], value));
}

function differs(what: string, wanted: unknown, found: unknown, note = ''): readonly string[] {
  if (isDeepStrictEqual(wanted, found)) return [];
  const told = `${what}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`;
  return [note === '' ? told : `${told} (${note})`];
}

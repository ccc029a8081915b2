import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '@portcullis/contract';
import { isFault } from '../../kernel/fault.ts';
import { CEL_BUDGET, CelBudget } from './cel-budget.ts';
import { toCelValue } from './cel-value.ts';
import { compileCel } from './compile-cel.ts';

interface Spending {
  readonly units: number;
  readonly answer: boolean | 'too dear' | 'failed';
}

function spend(expression: string, object: JsonValue, oldObject: JsonValue = null): Spending {
  const program = compileCel(expression);
  if (isFault(program)) throw program;
  const budget = new CelBudget();
  const variables = { object: toCelValue(object), oldObject: toCelValue(oldObject), request: null };
  const answer = program.evaluate(variables, budget);
  const units = CEL_BUDGET - budget.left;
  if (!isFault(answer)) return { units, answer };
  return { units, answer: budget.isSpent ? 'too dear' : 'failed' };
}

function count(length: number): readonly number[] {
  return Array.from({ length }, (_, index) => index);
}

const OBJECT: JsonValue = { n: 1, t: 'text', l: [1, 2, 3], m: { a: 1, b: 2 } };

/** The least that an expression must cost: one unit for each step that is made. */
const STEPS: readonly (readonly [string, number])[] = [
  ['object.n == 1', 4],
  ['object.n != 2', 4],
  ['object.n in object.l', 5],
  ['!(object.n == 2)', 5],
  ['-object.n < 0', 5],
  ['object.n + object.n - object.n * object.n / object.n % 7 == 1', 10],
  ['object.n == 1 && object.t == "text"', 8],
  ['object.n == 2 || object.t == "text"', 8],
  ['object.n == 1 ? true : false', 6],
  ['object["t"] == "text"', 5],
  ['object.?t.orValue("") == "text"', 4],
  ['size(object.l) == 3', 5],
  ['object.t.startsWith("te")', 4],
  ['[object.n, object.n][0] == 1', 8],
  ['{"a": object.n}.a == 1', 7],
  ['has(object.m.a)', 1],
  ['object.l.all(x, x > 0)', 2 + 9],
  ['object.l.exists(x, x == 3)', 2 + 9],
  ['object.l.exists_one(x, x == 3)', 2 + 9],
  ['object.l.map(x, x + 1).size() == 3', 2 + 9],
  ['object.l.filter(x, x > 1).size() == 2', 2 + 9],
  ['object.m.all(k, k != "c")', 2 + 6],
  ['object.t.matches("^[a-z]+$")', 4 + 4],
];

for (const [expression, least] of STEPS) {
  test(`every step is paid for: ${expression}`, () => {
    const { units, answer } = spend(expression, OBJECT);
    assert.equal(answer, true);
    assert.ok(units >= least, `${units} units are fewer than ${least}`);
  });
}

const WIDE = count(2000);
const ROWS = count(500).map((row) => ({ cells: count(200), row }));
const OTHER_ROWS = count(500).map((row) => ({ cells: count(200), row: row + 500 }));
const MANY_KEYS = Object.fromEntries(count(50_000).map((index) => [`k${index}`, index]));
const LONG = 'aa'.repeat(100_000);

const ENDLESS: readonly (readonly [string, string, JsonValue, JsonValue?])[] = [
  ['loops in loops', 'object.all(a, object.all(b, object.all(c, a + b + c >= 0)))', WIDE],
  ['a list that is compared in a loop', 'object.all(x, object == oldObject)', ROWS, ROWS],
  ['maps that are alike but for the end, looked for', 'object.exists(x, x in oldObject)', ROWS, OTHER_ROWS],
  ['a large map in a loop', 'object.all(k, size(object) == 50000)', MANY_KEYS],
  ['a list that doubles', `object${'.map(x, object)'.repeat(3)}.size() >= 0`, WIDE],
  ['a text written anew', `object${'.reverse()'.repeat(9)} != ""`, LONG],
  ['many ways that end in an assertion', `object.matches("${'(?:\\\\b\\\\B)?'.repeat(300)}b")`, LONG],
  ['short patterns of long programs', 'object.exists(n, "a".matches("(b{1000}){4}" + string(n)))', WIDE],
];

for (const [name, expression, object, oldObject] of ENDLESS) {
  test(`what would go on for long is stopped: ${name}`, () => {
    assert.equal(spend(expression, object, oldObject).answer, 'too dear');
  });
}

test('to compare with null, or with an equal object once, is cheap', () => {
  assert.ok(spend('object != null && oldObject == null', ROWS).units < 1000 + ROWS.length);
  assert.equal(spend('object == oldObject', ROWS, ROWS).answer, true);
});

test('a spent budget is told even where the expression swallows it', () => {
  const { answer } = spend('object.all(a, object.all(b, object.all(c, a + b + c >= 0))) || true', WIDE);
  assert.equal(answer, 'too dear');
});

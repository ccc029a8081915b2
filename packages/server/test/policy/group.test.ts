import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { Fault, isFault } from '../../src/kernel/fault.ts';
import { describePolicy } from '../../src/policy/describe-policy.ts';
import { compileGroupExpression, type MemberAnswer } from '../../src/policy/group/group-expression.ts';
import { parsePolicies } from '../../src/policy/parse-policies.ts';
import { faultOf } from './parsing.ts';

const MEMBERS = ['a', 'b', 'c'];
const FAULT = new Fault('PC_WASM_TRAP', 'no answer');

const expressions = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom('a()', 'b()', 'c()', 'true', 'false'),
    tie('tree').map((inner) => `!(${inner})`),
    fc.tuple(tie('tree'), tie('tree')).map(([left, right]) => `(${left} && ${right})`),
    fc.tuple(tie('tree'), tie('tree')).map(([left, right]) => `(${left} || ${right})`),
    fc
      .tuple(tie('tree'), tie('tree'), tie('tree'))
      .map(([question, yes, no]) => `(${question} ? ${yes} : ${no})`),
  ),
})).tree;

/** The same text is JavaScript: an evaluator that shares nothing with ours. */
function byJavaScript(expression: string, answers: Readonly<Record<string, boolean>>): boolean {
  const parameters = MEMBERS.map((member) => `const ${member} = () => answers.${member};`).join('');
  // oxlint-disable-next-line typescript/no-implied-eval
  return (new Function('answers', `${parameters} return ${expression};`) as (answers: object) => boolean)(
    answers,
  );
}

/** Every member is in it, so that none is refused as idle. */
const whole = (expression: string): string => `(${expression}) || (false && (a() || b() || c()))`;

async function evaluate(
  expression: string,
  answers: Readonly<Record<string, MemberAnswer>>,
): Promise<{ readonly answer: MemberAnswer; readonly asked: readonly string[] }> {
  const compiled = compileGroupExpression(expression, MEMBERS);
  assert.ok(!isFault(compiled), isFault(compiled) ? compiled.message : '');
  const asked: string[] = [];
  const answer = await compiled.evaluate(async (member) => {
    asked.push(member);
    return answers[member] ?? FAULT;
  });
  return { answer, asked };
}

describe('the expression of a group', () => {
  test('means what it means elsewhere when every member answers', async () => {
    const answers = fc.record({ a: fc.boolean(), b: fc.boolean(), c: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(expressions, answers, async (tree, given) => {
        const expression = whole(tree);
        assert.equal((await evaluate(expression, given)).answer, byJavaScript(expression, given));
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test('a member that cannot answer counts only where the others do not settle it', async () => {
    const answer = fc.constantFrom<MemberAnswer>(true, false, FAULT);
    await fc.assert(
      fc.asyncProperty(expressions, fc.record({ a: answer, b: answer, c: answer }), async (tree, given) => {
        const expression = whole(tree);
        const found = await evaluate(expression, given);
        if (isFault(found.answer)) {
          assert.ok(MEMBERS.some((member) => isFault(given[member as 'a'])));
          return;
        }
        // Whatever the silent ones would have said, it would be the same.
        for (const silent of [true, false]) {
          const full = Object.fromEntries(
            Object.entries(given).map(([name, value]) => [name, isFault(value) ? silent : value]),
          );
          assert.equal(byJavaScript(expression, full), found.answer);
        }
      }),
      { numRuns: 1000, seed: 2 },
    );
  });

  test('asks from left to right and no further than needed', async () => {
    assert.deepEqual(await evaluate('a() || b() && c()', { a: true }), { answer: true, asked: ['a'] });
    assert.deepEqual(await evaluate('a() && b() && c()', { a: true, b: false }), {
      answer: false,
      asked: ['a', 'b'],
    });
    assert.deepEqual(await evaluate('a() && b() && c()', { b: false }), { answer: false, asked: ['a', 'b'] });
    assert.deepEqual(await evaluate('!a() ? b() : c()', { a: true, c: true }), {
      answer: true,
      asked: ['a', 'c'],
    });
  });

  const refusals: readonly (readonly [string, RegExp])[] = [
    ['a() && b()', /never asks `c`: call it, or remove the member/],
    ['a() || b() || d()', /column 15: there is no member `d`/],
    ['a || b() || c()', /column 1: `a` is no call of a member: write `a\(\)`/],
    ['a(1) || b() || c()', /`a\(\)` takes no arguments/],
    ['a() == b() || c()', /only calls of members/],
    ['1', /only calls of members/],
    ['"a"', /only calls of members/],
    ['a.b()', /only calls of members/],
    ['[a()].all(x, x)', /only calls of members/],
    ['a() &&', /is no CEL/],
    ['', /is no CEL/],
    [`${'!'.repeat(100_000)}a()`, /is no CEL/],
  ];
  for (const [expression, message] of refusals) {
    test(`refuses ${expression.slice(0, 30)}`, () => {
      const compiled = compileGroupExpression(expression, MEMBERS);
      assert.ok(isFault(compiled));
      assert.equal(compiled.code, 'PC_POLICY_CONDITION');
      assert.match(compiled.message, message);
    });
  }
});

const GROUP = `apiVersion: portcullis.dev/v1
kind: PolicyGroup
metadata: { name: signed-or-trusted }
spec:
  match: { operations: [CREATE] }
  expression: signed() || trusted()
  message: sign the image, or take it from a trusted registry
  members:
    signed: { module: { file: signed.wasm }, settings: { keys: [9007199254740993] } }
    trusted: { module: { file: registry.wasm }, limits: { timeout: 2s } }
`;

test('a group document becomes a policy whose members are policies', () => {
  const [document] = parsePolicies(GROUP, { source: 'file', location: 'g.yaml' });
  assert.ok(document !== undefined && !isFault(document.result));
  const { result: group } = document;
  assert.equal(group.spec.limits.timeoutMs, 3000);
  assert.equal(group.group?.members['trusted']?.metadata.name, 'signed-or-trusted/trusted');
  assert.equal(group.group?.members['trusted']?.spec.module.file, 'registry.wasm');
  assert.deepEqual(group.group?.members['signed']?.spec.match, group.spec.match);
  const again = describePolicy(group);
  assert.equal(again['kind'], 'PolicyGroup');
});

const BROKEN_GROUPS: readonly (readonly [string, string, RegExp])[] = [
  ['no message', GROUP.replace(/ {2}message.*\n/, ''), /spec\.message: is required/],
  ['an unknown member', GROUP.replace('trusted()', 'trustet()'), /did you mean `trusted`/],
  ['a phase', GROUP.replace('spec:', 'spec:\n  phase: mutate'), /spec\.phase: unknown key/],
  ['a name that CEL keeps', GROUP.replaceAll('signed', 'in'), /spec\.members\.in: must be letters/],
  ['no members', GROUP.replace(/members:[^]*/, 'members: {}'), /must have 1 to 32 members, not 0/],
];
for (const [what, text, message] of BROKEN_GROUPS) {
  test(`a group with ${what} is refused`, () => assert.match(faultOf(text).message, message));
}

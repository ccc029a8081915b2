import type { Cause, Policy, PolicyGroup, Review, Verdict } from '@portcullis/contract';
import type { Engine, Evaluation, Evaluator } from '../engines/engine.ts';
import { Fault, isFault } from '../kernel/fault.ts';
import { faulted } from './ask.ts';
import { applyMutation } from './mutate.ts';
import { compileGroupExpression, type MemberAnswer } from '../policy/group/group-expression.ts';

/** The code of a policy on one thread. */
export interface OpenedProgram {
  readonly evaluator: Evaluator;
  readonly phrases: Engine['phrases'];
}

const PHRASES: Engine['phrases'] = {
  refused: 'the policy group could not decide',
  ignored: 'the policy group could not decide and was passed over',
  reason: 'PolicyGroupError',
};

/** A group as one evaluator: members are asked as far as the expression needs them, each at most once for a review. */
export function openGroup(
  { expression, members }: PolicyGroup,
  programs: readonly OpenedProgram[],
): OpenedProgram {
  const names = Object.keys(members);
  const compiled = compileGroupExpression(expression, names);
  if (isFault(compiled)) throw compiled;
  const program = compiled;
  const evaluators = new Map(names.map((name, index) => [name, programs[index]?.evaluator]));

  async function evaluate(review: Review, deadline: number): Promise<Evaluation> {
    const asked = new Map<string, Promise<Evaluation>>();
    const answer = await program.evaluate(async (name) => {
      const evaluator = evaluators.get(name);
      if (evaluator === undefined) throw new TypeError(`group without member \`${name}\``);
      const evaluation = asked.get(name) ?? evaluateMember(evaluator, members[name], review, deadline);
      asked.set(name, evaluation);
      return answerOf(name, (await evaluation).verdict);
    });
    const said: Said[] = [];
    for (const [name, evaluation] of asked) said.push({ name, ...(await evaluation) });
    return {
      verdict: verdictOf(answer, said),
      fuel: said.reduce((sum, { fuel }) => sum + fuel, 0),
      memoryBytes: said.reduce((most, { memoryBytes }) => Math.max(most, memoryBytes), 0),
    };
  }

  return {
    evaluator: {
      evaluate,
      close() {
        for (const evaluator of evaluators.values()) evaluator?.close();
      },
    },
    phrases: PHRASES,
  };
}

async function evaluateMember(
  evaluator: Evaluator,
  member: Policy | undefined,
  review: Review,
  deadline: number,
): Promise<Evaluation> {
  const evaluation = await evaluator.evaluate(review, deadline);
  if (member?.byName === undefined) return evaluation;
  return { ...evaluation, verdict: refuseChange(evaluation.verdict, review, member) };
}

/** Kubewarden's rule: the member counts as one that denied. */
function refuseChange(verdict: Verdict, review: Review, { spec }: Policy): Verdict {
  if (verdict.outcome !== 'allow' || verdict.mutation === undefined) return verdict;
  const mutated = applyMutation(review, verdict.mutation, spec.mutation);
  if (isFault(mutated)) return faulted(mutated);
  const { mutation: _refused, message: _old, ...remarks } = verdict;
  if (mutated === undefined || mutated.patch.length === 0) return remarks;
  return {
    ...remarks,
    outcome: 'deny',
    message: 'mutation is not allowed inside of policy group',
    causes: [],
  };
}

interface Said extends Evaluation {
  readonly name: string;
}

/** A member that wants to change the object has not simply allowed it: a group cannot carry that out. */
function answerOf(name: string, verdict: Verdict): MemberAnswer {
  switch (verdict.outcome) {
    case 'allow':
      if (verdict.mutation === undefined) return true;
      return new Fault(
        'PC_PLUGIN_MUTATION',
        `member \`${name}\` wants to change the object, which a group cannot do`,
      );
    case 'deny':
      return false;
    case 'fault':
      return new Fault(verdict.code as Fault['code'], `member \`${name}\`: ${verdict.message}`);
    default:
      return new Fault('PC_PLUGIN_OUTPUT', `member \`${name}\` has no opinion`);
  }
}

/** What the members told goes to the client with the verdict of all. */
function verdictOf(answer: MemberAnswer, said: readonly Said[]): Verdict {
  if (isFault(answer)) return { outcome: 'fault', code: answer.code, message: answer.message };
  const warnings: string[] = [];
  const auditAnnotations: Record<string, string> = {};
  const causes: Cause[] = [];
  for (const { name, verdict } of said) {
    if (verdict.outcome === 'fault' || verdict.outcome === 'abstain') continue;
    warnings.push(...verdict.warnings.map((warning) => `${name}: ${warning}`));
    for (const [key, value] of Object.entries(verdict.auditAnnotations))
      auditAnnotations[`${name}/${key}`] = value;
    if (verdict.outcome !== 'deny') continue;
    causes.push({ field: `spec.members.${name}`, message: verdict.message });
    for (const cause of verdict.causes) causes.push({ ...cause, message: `${name}: ${cause.message}` });
  }
  if (answer) return { outcome: 'allow', warnings, auditAnnotations };
  const denials = causes
    .filter(({ field }) => field?.startsWith('spec.members.') === true)
    .map(({ message }) => message);
  const message = denials.length === 0 ? 'the expression of the group is false' : denials.join('; ');
  return { outcome: 'deny', message, causes, warnings, auditAnnotations };
}

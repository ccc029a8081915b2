import type { Match, MatchCondition, Review } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { CelBudget } from '../cel/cel-budget.ts';
import { compileCel, type CelProgram } from '../cel/compile-cel.ts';
import { reviewVariables } from '../cel/review-variables.ts';
import type { ReviewMatcher } from './namespace-matcher.ts';

interface CompiledCondition {
  readonly name: string;
  readonly program: CelProgram;
}

/**
 * All must be true. As in Kubernetes one that is false decides, whatever the others did; PC_POLICY_CONDITION when one failed and
 * none was false. The fault on creation names the condition that does not compile.
 */
export function createConditions({ conditions }: Match): ReviewMatcher<boolean | Fault> | Fault {
  const compiled: CompiledCondition[] = [];
  for (const condition of conditions) {
    const program = compileCel(condition.expression);
    if (isFault(program)) return about(condition, program);
    compiled.push({ name: condition.name, program });
  }
  if (compiled.length === 0) return undefined;
  return (review) => decide(compiled, review);
}

function decide(conditions: readonly CompiledCondition[], review: Review): boolean | Fault {
  const variables = reviewVariables(review);
  const budget = new CelBudget();
  let failure: Fault | undefined;
  for (const condition of conditions) {
    const holds = condition.program.evaluate(variables, budget);
    if (holds === false) return false;
    if (isFault(holds)) failure ??= about(condition, holds);
  }
  return failure ?? true;
}

function about({ name }: Pick<MatchCondition, 'name'>, fault: Fault): Fault {
  return new Fault(fault.code, `condition \`${name}\`: ${fault.message}`, {
    data: { condition: name },
    cause: fault,
  });
}

import {
  EvaluationError,
  ParseError,
  TypeError as CelTypeError,
  type ParseResult,
} from '@marcbachmann/cel-js';
import { Fault } from '../../kernel/fault.ts';
import { nodesIn, type CelBudget, type LibraryNode } from './cel-budget.ts';
import { celEnvironment, REPLACED_FUNCTIONS } from './cel-environment.ts';
import { CelFailure } from './cel-failure.ts';
import { CEL_VARIABLES, type CelVariables } from './review-variables.ts';

/** A condition ready to be asked. */
export interface CelProgram {
  /** PC_POLICY_CONDITION when it fails, yields something else than a boolean, or spends the budget. Never throws. */
  evaluate(variables: CelVariables, budget: CelBudget): boolean | Fault;
}

/** PC_POLICY_CONDITION, with the column, when the text is no CEL, names what there is not, or cannot yield a boolean. */
export function compileCel(expression: string): CelProgram | Fault {
  const { environment, meter } = celEnvironment();
  let program: ParseResult;
  try {
    program = environment.parse(expression);
  } catch (error) {
    return refused(expression, error);
  }
  const unknown = prepare(program.ast as unknown as LibraryNode);
  if (unknown !== undefined) return new Fault('PC_POLICY_CONDITION', unknown);
  const checked = program.check();
  if (!checked.valid) return refused(expression, checked.error);
  if (checked.type !== 'bool' && checked.type !== 'dyn') {
    return new Fault('PC_POLICY_CONDITION', `must yield a boolean, not \`${checked.type ?? 'nothing'}\``);
  }
  meter.instrument(program);
  return {
    evaluate(variables, budget) {
      try {
        const value: unknown = meter.run(budget, () => program(variables));
        // An expression can swallow the failure (`|| true`), but not the verdict on it.
        if (budget.isSpent) return tooDear();
        return typeof value === 'boolean'
          ? value
          : new Fault('PC_POLICY_CONDITION', 'did not yield a boolean');
      } catch (error) {
        return budget.isSpent ? tooDear() : failed(expression, error);
      }
    },
  };
}

function tooDear(): Fault {
  return new Fault('PC_POLICY_CONDITION', 'is too dear for this review, look at fewer parts of the object');
}

const NOT_OFFERED: Readonly<Record<string, string>> = {
  authorizer: 'Portcullis does not ask the API server for permissions here',
  namespaceObject: 'use `namespaceSelector` to match by the labels of the namespace',
  params: 'use the `settings` of the policy',
  variables: 'write the expression out',
};

/** Puts our functions where the library's own fall short, and finds names that Kubernetes has and we do not. */
function prepare(node: LibraryNode): string | undefined {
  if (node.op === 'id' && typeof node.args === 'string' && Object.hasOwn(NOT_OFFERED, node.args)) {
    const offered = CEL_VARIABLES.map((name) => `\`${name}\``).join(', ');
    return `\`${node.args}\` is not offered, only ${offered}: ${NOT_OFFERED[node.args] ?? ''}`;
  }
  if (node.op === 'rcall' && Array.isArray(node.args)) {
    const call = node.args as unknown[];
    call[0] = REPLACED_FUNCTIONS.get(String(call[0])) ?? call[0];
  }
  for (const child of nodesIn(node.args)) {
    const unknown = prepare(child);
    if (unknown !== undefined) return unknown;
  }
  return undefined;
}

/** While it is compiled there is no data yet, so the library's own words may be shown. */
function refused(expression: string, error: unknown): Fault {
  if (!(error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError)) {
    return new Fault('PC_POLICY_CONDITION', 'is nested too deeply', { cause: error });
  }
  const summary = error.summary.replaceAll('\n', ' ');
  const text = `${summary.charAt(0).toLowerCase()}${summary.slice(1)}`;
  return new Fault('PC_POLICY_CONDITION', `${text}${place(expression, error.range?.start)}`, {
    cause: error,
  });
}

/** The library's words may quote the request, a Secret even: told are only the kind of failure and the part of the expression. */
function failed(expression: string, error: unknown): Fault {
  if (error instanceof CelFailure) return new Fault('PC_POLICY_CONDITION', error.message);
  if (!(error instanceof EvaluationError))
    return new Fault('PC_POLICY_CONDITION', 'cannot be evaluated on this review');
  const range = error.node?.range ?? error.range;
  const part = range === undefined ? '' : expression.slice(range.start, range.end);
  const shown = part === '' ? '' : ` in \`${part.length > 80 ? `${part.slice(0, 80)}…` : part}\``;
  return new Fault('PC_POLICY_CONDITION', `${error.code.replaceAll('_', ' ')}${shown}`);
}

function place(expression: string, offset: number | undefined): string {
  if (offset === undefined) return '';
  const lines = expression.slice(0, offset).split('\n');
  const column = (lines.at(-1)?.length ?? 0) + 1;
  return lines.length === 1 ? ` at column ${column}` : ` at line ${lines.length}, column ${column}`;
}

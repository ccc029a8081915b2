import type { ParseResult } from '@marcbachmann/cel-js';
import { comparisonCost } from './comparison-cost.ts';

/** What the conditions of one policy may spend on one review: about 10 ms, because nothing can interrupt them. */
export const CEL_BUDGET = 150_000;

/** A failure, which the library describes at length even when the expression swallows it, takes as long as so many steps. */
const FAILURE = 300;

/** One unit per step, and more for long texts, lists and maps. */
export class CelBudget {
  left: number;

  constructor(units: number = CEL_BUDGET) {
    this.left = units;
  }

  get isSpent(): boolean {
    return this.left < 0;
  }
}

const SPENT = new Error('the expression is too dear for this review');
// One for all: an expression that goes on after it has failed must not pay for stack traces.
delete SPENT.stack;

/** Charges the budget of the evaluation that is running. Evaluations are synchronous, so there is one at a time. */
export class CelMeter {
  #budget = new CelBudget(0);

  run<T>(budget: CelBudget, evaluate: () => T): T {
    this.#budget = budget;
    return evaluate();
  }

  /** Throws when the budget is spent, and at every further charge. */
  charge(units: number): void {
    this.#budget.left -= units;
    if (this.#budget.left < 0) throw SPENT;
  }

  /**
   * Makes every step of an expression charge for itself and for the size of what it yields: then no nesting of loops, no doubling
   * of lists and no search in long texts can go on for long. Call it after the type check, which sets the handlers.
   */
  instrument(program: ParseResult): void {
    this.#instrument(program.ast as unknown as LibraryNode);
  }

  #instrument(node: LibraryNode): void {
    for (const child of nodesIn(node.args)) this.#instrument(child);
    // Macros run the nodes inside them, and these charge.
    if (node.meta.alternate !== undefined || node.meta.macro !== undefined) return;
    const evaluate = node.meta.evaluate;
    const charge = (units: number): void => this.charge(units);
    const { handle } = node;
    if (handle !== undefined && COMPARISONS.has(node.op)) {
      node.handle = (left, right, ...rest) => {
        charge(comparisonCost(node.op, left, right));
        return handle(left, right, ...rest);
      };
    }
    node.setMeta('evaluate', function metered(this: unknown, evaluator, self, context) {
      charge(1);
      let value: unknown;
      try {
        value = evaluate.call(this, evaluator, self, context);
      } catch (error) {
        charge(FAILURE);
        throw error;
      }
      if (typeof value === 'string') charge(value.length >> 6);
      else if (Array.isArray(value)) charge(value.length >> 3);
      else if (value instanceof Map) charge(value.size >> 3);
      return value;
    });
  }
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', 'in']);

type Evaluate = (this: unknown, evaluator: unknown, self: unknown, context: unknown) => unknown;

/** The library's syntax nodes, with what its types leave out; cel-budget.test.ts fails when a new version has them otherwise. */
export interface LibraryNode {
  readonly op: string;
  readonly args: unknown;
  /** Of an operator: what it does with its operands. */
  handle?: (left: unknown, right: unknown, ...rest: readonly unknown[]) => unknown;
  readonly meta: { readonly evaluate: Evaluate; readonly alternate?: unknown; readonly macro?: unknown };
  setMeta(key: 'evaluate', value: Evaluate): void;
}

/** The nodes among the arguments of a node; lists of them are flattened. */
export function nodesIn(args: unknown): readonly LibraryNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn);
  return typeof args === 'object' && args !== null && 'setMeta' in args ? [args as LibraryNode] : [];
}

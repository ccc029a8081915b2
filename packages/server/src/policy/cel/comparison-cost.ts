import { JsonMap } from './cel-value.ts';

/** Comparisons go on into lists and maps where they are alike. In units of the budget; what only looks at texts and numbers is free. */
export function comparisonCost(operator: string, left: unknown, right: unknown): number {
  if (operator === 'in') {
    return Array.isArray(right) ? Math.min(right.length * weightOf(left), weightOf(right)) >> 2 : 0;
  }
  return isContainer(left) && isContainer(right) ? Math.min(weightOf(left), weightOf(right)) >> 2 : 0;
}

/** Values are immutable, and loops compare the same ones again and again. */
const weights = new WeakMap<object, number>();

function weightOf(value: unknown): number {
  if (!isContainer(value)) return weigh(value);
  let weight = weights.get(value);
  if (weight === undefined) {
    weight = weigh(value);
    weights.set(value, weight);
  }
  return weight;
}

/** The value and all values inside it; a long text counts more than once. */
function weigh(value: unknown): number {
  if (typeof value === 'string') return 1 + (value.length >> 6);
  if (!isContainer(value)) return 1;
  let weight = 1;
  for (const member of membersOf(value)) weight += weigh(member);
  return weight;
}

function membersOf(value: object): Iterable<unknown> {
  if (Array.isArray(value)) return value;
  // As it came, so that nothing is converted only to be weighed.
  if (value instanceof JsonMap) return Object.values(value.source);
  return value instanceof Map ? value.values() : Object.values(value);
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

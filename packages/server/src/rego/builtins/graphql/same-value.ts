import { compareTexts } from '../../values/compare-values.ts';
import type { Charge } from '../charge.ts';
import { KIND, type Argument, type ChildValue, type Value } from './syntax-tree.ts';

/** In any order. */
export function isSameArguments(
  first: readonly Argument[],
  second: readonly Argument[],
  charge: Charge,
): boolean {
  charge(1 + first.length * second.length);
  return (
    first.length === second.length &&
    first.every(({ Name, Value }) =>
      second.some((other) => Name === other.Name && isSameValue(Value, other.Value, charge)),
    )
  );
}

function isSameValue(first: Value | undefined, second: Value | undefined, charge: Charge): boolean {
  charge(3);
  if (first === undefined || second === undefined) return first === second;
  if (first.Kind !== second.Kind || first.Raw !== second.Raw) return false;
  if (first.Children.length !== second.Children.length) return false;
  const [children, others] = [childrenOf(first), childrenOf(second)];
  return children.every(
    ({ Name, Value }, index) =>
      Name === others[index]?.Name && isSameValue(Value, others[index].Value, charge),
  );
}

function childrenOf({ Children, Kind }: Value): readonly ChildValue[] {
  return Kind === KIND.object
    ? Children.toSorted((first, second) => compareTexts(first.Name, second.Name))
    : Children;
}

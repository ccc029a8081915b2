import { BuiltinLimit } from '../builtin.ts';
import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import type { FoundField, MergeCheck } from './query-walk.ts';
import { isSameArguments } from './same-value.ts';
import type { SchemaModel } from './schema-model.ts';
import type { Field, Fragment, Selection, TypeReference } from './syntax-tree.ts';

interface Known {
  readonly model: SchemaModel;
  readonly charge: Charge;
  readonly fragments: ReadonlyMap<string, Fragment>;
  readonly found: ReadonlyMap<Field, FoundField>;
}

/** Fields by their names in the response, and names of the fragments that are spread. */
interface Collected {
  readonly fields: ReadonlyMap<string, readonly Field[]>;
  readonly spreads: readonly string[];
}

const MAX_DEPTH = 500;

/** The algorithm of the specification (5.3.2), with what has been compared remembered for the whole document. */
export function createMergeCheck({ model, charge, fragments, found }: Known): MergeCheck {
  const collections = new Map<readonly Selection[], Collected>();
  /** By two names; whether they were compared as what cannot be at the same time. */
  const compared = new Map<string, boolean>();
  let depth = 0;

  return (selections) => {
    if (selections.length === 0) return;
    const own = collect(selections);
    for (const fields of own.fields.values()) {
      for (const [index, field] of fields.entries())
        for (const other of fields.slice(index + 1)) compareFields(field, other, false);
    }
    const visited = new Set<string>();
    for (const [index, spread] of own.spreads.entries()) {
      compareToFragment(own, spread, false, visited);
      for (const other of own.spreads.slice(index + 1)) compareFragments(spread, other, false);
    }
  };

  function collect(selections: readonly Selection[]): Collected {
    const known = collections.get(selections);
    if (known !== undefined) return known;
    const fields = new Map<string, Field[]>();
    const spreads: string[] = [];
    gather(selections);
    const collected = { fields, spreads };
    collections.set(selections, collected);
    return collected;

    function gather(set: readonly Selection[]): void {
      for (const selection of set) {
        charge(3);
        if ('Alias' in selection) {
          const name = selection.Alias || selection.Name;
          const same = fields.get(name);
          if (same === undefined) fields.set(name, [selection]);
          else same.push(selection);
        } else if ('TypeCondition' in selection) gather(selection.SelectionSet);
        else spreads.push(selection.Name);
      }
    }
  }

  function fragmentOf(name: string): Collected | undefined {
    const fragment = fragments.get(name);
    return fragment === undefined ? undefined : collect(fragment.SelectionSet);
  }

  function compareSets(first: Collected, second: Collected, isExclusive: boolean): void {
    charge(1 + first.fields.size);
    for (const [name, fields] of first.fields) {
      const others = second.fields.get(name) ?? [];
      for (const field of fields) for (const other of others) compareFields(field, other, isExclusive);
    }
  }

  function compareToFragment(own: Collected, name: string, isExclusive: boolean, visited: Set<string>): void {
    charge(2);
    if (visited.has(name)) return;
    visited.add(name);
    const other = fragmentOf(name);
    if (other === undefined || other === own) return;
    compareSets(own, other, isExclusive);
    for (const spread of other.spreads) compareToFragment(own, spread, isExclusive, visited);
  }

  function compareFragments(first: string, second: string, isExclusive: boolean): void {
    charge(4);
    if (first === second) return;
    const key = first < second ? `${first} ${second}` : `${second} ${first}`;
    const before = compared.get(key);
    if (before !== undefined && (isExclusive || !before)) return;
    compared.set(key, isExclusive);
    const [one, other] = [fragmentOf(first), fragmentOf(second)];
    if (one === undefined || other === undefined) return;
    compareSets(one, other, isExclusive);
    for (const spread of other.spreads) compareFragments(first, spread, isExclusive);
    for (const spread of one.spreads) compareFragments(spread, second, isExclusive);
  }

  function compareSelections(
    first: readonly Selection[],
    second: readonly Selection[],
    isExclusive: boolean,
  ): void {
    const [one, other] = [collect(first), collect(second)];
    compareSets(one, other, isExclusive);
    for (const spread of other.spreads) compareToFragment(one, spread, isExclusive, new Set());
    for (const spread of one.spreads) compareToFragment(other, spread, isExclusive, new Set());
    for (const spread of one.spreads)
      for (const another of other.spreads) compareFragments(spread, another, isExclusive);
  }

  function compareFields(first: Field, second: Field, isExclusiveAbove: boolean): void {
    charge(4);
    const [one, other] = [found.get(first), found.get(second)];
    if (one?.parent === undefined || other?.parent === undefined) return;
    const isExclusive = isExclusiveAbove || areExclusive(one, other);
    if (!isExclusive) checkSame(first, second, charge);
    if (isConflict(one.definition?.Type, other.definition?.Type, model))
      fail('they return conflicting types');
    if (first.SelectionSet.length === 0 && second.SelectionSet.length === 0) return;
    if (depth >= MAX_DEPTH) throw new BuiltinLimit('GraphQL selections that are nested too deeply');
    depth++;
    compareSelections(first.SelectionSet, second.SelectionSet, isExclusive);
    depth--;
  }
}

function areExclusive(one: FoundField, other: FoundField): boolean {
  return (
    one.parent?.Name !== other.parent?.Name &&
    one.parent?.Kind === 'OBJECT' &&
    other.parent?.Kind === 'OBJECT' &&
    one.definition !== undefined &&
    other.definition !== undefined
  );
}

function checkSame(first: Field, second: Field, charge: Charge): void {
  if (first.Name !== second.Name) fail(`"${first.Name}" and "${second.Name}" are different fields`);
  if (!isSameArguments(first.Arguments, second.Arguments, charge)) fail('they have differing arguments');
}

function isConflict(
  first: TypeReference | undefined,
  second: TypeReference | undefined,
  model: SchemaModel,
): boolean {
  if (first === undefined || second === undefined) return false;
  if (first.Elem !== undefined && second.Elem !== undefined)
    return isConflict(first.Elem, second.Elem, model);
  if (first.Elem !== undefined || second.Elem !== undefined || first.NonNull !== second.NonNull) return true;
  const isLeaf = ({ NamedType }: TypeReference): boolean =>
    ['SCALAR', 'ENUM'].includes(model.types.get(NamedType)?.Kind ?? '');
  return isLeaf(first) && isLeaf(second) && first.NamedType !== second.NamedType;
}

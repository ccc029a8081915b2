import { BuiltinLimit } from '../builtin.ts';
import { fail } from '../operands.ts';
import type { Field, Fragment, Selection } from './syntax-tree.ts';
import type { QueryWalk } from './query-walk.ts';

const MAX_DEPTH = 500;

/** A fragment that spreads itself, by others too, has no end. */
export function checkFragmentCycles(
  fragments: readonly Fragment[],
  { charge, fragments: byName }: QueryWalk,
): void {
  const done = new Set<string>();
  const path = new Set<string>();
  for (const fragment of fragments) follow(fragment);

  function follow({ Name, SelectionSet }: Fragment): void {
    if (done.has(Name)) return;
    if (path.size >= MAX_DEPTH) throw new BuiltinLimit('GraphQL fragments that are nested too deeply');
    path.add(Name);
    for (const spread of spreadsIn(SelectionSet)) {
      if (path.has(spread)) fail(`Cannot spread fragment "${spread}" within itself`);
      const next = byName.get(spread);
      if (next !== undefined) follow(next);
    }
    path.delete(Name);
    done.add(Name);
  }

  function spreadsIn(selections: readonly Selection[]): readonly string[] {
    return selections.flatMap((selection) => {
      charge(3);
      return 'SelectionSet' in selection ? spreadsIn(selection.SelectionSet) : [selection.Name];
    });
  }
}

/** Fields of introspection that lead from types to types. */
const LISTS = ['fields', 'interfaces', 'possibleTypes', 'inputFields'];
const MAX_LISTS = 3;

/** The types of a schema lead to each other without end; gqlparser lets nobody ask for more than two steps. */
export function checkIntrospectionDepth(field: Field, { charge, fragments }: QueryWalk): void {
  const path = new Set<string>();
  visitField(field, 0);

  function visitField({ Name, SelectionSet }: Field, above: number): void {
    const lists = LISTS.includes(Name) ? above + 1 : above;
    if (lists >= MAX_LISTS) fail('Maximum introspection depth exceeded');
    visit(SelectionSet, lists);
  }

  function visit(selections: readonly Selection[], lists: number): void {
    for (const selection of selections) {
      charge(3);
      if ('Alias' in selection) visitField(selection, lists);
      else if ('TypeCondition' in selection) visit(selection.SelectionSet, lists);
      else visitSpread(selection.Name, lists);
    }
  }

  function visitSpread(name: string, lists: number): void {
    const fragment = fragments.get(name);
    if (fragment === undefined || path.has(name)) return;
    path.add(name);
    visit(fragment.SelectionSet, lists);
    path.delete(name);
  }
}

/** One field at the top, which is not one of introspection. */
export function checkSubscription(selections: readonly Selection[], { charge, fragments }: QueryWalk): void {
  const names = new Set<string>();
  const visited = new Set<string>();
  visit(selections);
  if (names.size > 1) fail('a subscription must select only one top level field');
  for (const name of names) if (name.startsWith('__')) fail('a subscription must not select introspection');

  function visit(set: readonly Selection[]): void {
    for (const selection of set) {
      charge(3);
      if ('Alias' in selection) names.add(selection.Name);
      else if ('TypeCondition' in selection) visit(selection.SelectionSet);
      else if (!visited.has(selection.Name)) {
        visited.add(selection.Name);
        visit(fragments.get(selection.Name)?.SelectionSet ?? []);
      }
    }
  }
}

import { fail } from '../operands.ts';
import type { Definition, Field, FieldDefinition } from './syntax-tree.ts';
import type { QueryWalk } from './query-walk.ts';
import { isComposite } from './schema-model.ts';

/** What is a leaf has nothing selected of it, and all else has. */
export function checkField(
  { Name, SelectionSet }: Field,
  definition: FieldDefinition | undefined,
  type: Definition | undefined,
): void {
  if (definition === undefined || type === undefined) return;
  const isLeaf = type.Kind === 'ENUM' || type.Kind === 'SCALAR';
  if (isLeaf === SelectionSet.length > 0)
    fail(`Field "${Name}" has a selection where it may not, or has none`);
}

export function checkInlineFragment(name: string, parent: Definition | undefined, walk: QueryWalk): void {
  if (name === '') return;
  const definition = walk.model.types.get(name) ?? fail(`Unknown type "${name}"`);
  if (!isComposite(definition)) fail(`Fragment cannot condition on non composite type "${name}"`);
  checkSpread(name, parent, walk);
}

/** Some object has to be of both types. */
export function checkSpread(name: string, parent: Definition | undefined, walk: QueryWalk): void {
  if (parent === undefined || !isComposite(parent)) return;
  const definition = walk.model.types.get(name);
  if (definition === undefined || !isComposite(definition)) return;
  const inside: ReadonlySet<string> =
    parent.Kind === 'OBJECT' ? new Set([parent.Name]) : (walk.model.possible.get(parent.Name) ?? new Set());
  const wanted: ReadonlySet<string> = walk.model.possible.get(name) ?? new Set();
  walk.charge(1 + (Math.min(inside.size, wanted.size) >> 2));
  if (inside.isDisjointFrom(wanted)) fail(`objects of type "${parent.Name}" can never be of type "${name}"`);
}

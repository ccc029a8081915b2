import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import { checkFragmentCycles, checkIntrospectionDepth, checkSubscription } from './check-fragments.ts';
import { checkField, checkInlineFragment, checkSpread } from './check-selections.ts';
import { checkArgumentNames, checkDirective, checkNoneTwice, checkValue } from './check-values.ts';
import { createMergeCheck } from './merge-fields.ts';
import type { Expected, FoundField, QueryWalk } from './query-walk.ts';
import { isComposite, isInputKind, nameOfType, type SchemaModel } from './schema-model.ts';
import {
  KIND,
  type Argument,
  type ArgumentDefinition,
  type Definition,
  type Directive,
  type Field,
  type FieldDefinition,
  type Fragment,
  type Operation,
  type QueryDocument,
  type Selection,
  type Value,
  type Variable,
} from './syntax-tree.ts';

/** Fails when a query says what it may not, by the rules of gqlparser: those of the specification, and a bound on introspection. */
export function validateQuery(model: SchemaModel, document: QueryDocument, charge: Charge): void {
  const fragments = new Map(document.Fragments.toReversed().map((fragment) => [fragment.Name, fragment]));
  const found = new Map<Field, FoundField>();
  const walk: QueryWalk = {
    model,
    charge,
    fragments,
    found,
    variables: undefined,
    used: new Set(),
    spread: new Set(),
    visited: new Set(),
    merge: createMergeCheck({ model, charge, fragments, found }),
  };
  checkNoneTwice(document.Operations.map(({ Name }) => Name));
  checkNoneTwice(document.Fragments.map(({ Name }) => Name));
  for (const operation of document.Operations) {
    if (operation.Name === '' && document.Operations.length > 1) fail('an anonymous operation among others');
    walkOperation(operation, walk);
  }
  checkFragmentCycles(document.Fragments, walk);
  for (const fragment of document.Fragments) walkFragment(fragment, walk);
}

const LOCATIONS: ReadonlyMap<string, string> = new Map([
  ['', 'QUERY'],
  ['query', 'QUERY'],
  ['mutation', 'MUTATION'],
  ['subscription', 'SUBSCRIPTION'],
]);

function walkOperation(operation: Operation, walk: QueryWalk): void {
  const { model } = walk;
  const declared = operation.VariableDefinitions;
  walk.visited = new Set();
  walk.variables = new Map(declared.toReversed().map((variable) => [variable.Variable, variable]));
  checkNoneTwice(declared.map(({ Variable: name }) => name));
  for (const variable of declared) walkVariable(variable, walk);
  const location = LOCATIONS.get(operation.Operation) ?? fail('an operation of an unknown kind');
  const root = model.roots.get(operation.Operation || 'query');
  if (root === undefined) fail(`Schema does not support operation type "${operation.Operation}"`);
  walkDirectives(operation.Directives, location, walk);
  walkSelections(operation.SelectionSet, root, walk);
  for (const variable of declared) {
    if (!variable.Used && !walk.used.has(variable)) fail(`Variable "$${variable.Variable}" is never used`);
  }
  walk.merge(operation.SelectionSet);
  if (location === 'SUBSCRIPTION') checkSubscription(operation.SelectionSet, walk);
  walk.variables = undefined;
}

function walkVariable({ DefaultValue, Directives, Type }: Variable, walk: QueryWalk): void {
  const name = nameOfType(Type);
  const definition = walk.model.types.get(name) ?? fail(`Unknown type "${name}"`);
  if (!isInputKind(definition.Kind)) fail(`a variable cannot be of the non-input type ${name}`);
  if (DefaultValue !== undefined)
    walkValue(DefaultValue, { type: Type, definition, hasDefault: false }, walk);
  walkDirectives(Directives, 'VARIABLE_DEFINITION', walk);
}

function walkFragment(fragment: Fragment, walk: QueryWalk): void {
  const definition = walk.model.types.get(fragment.TypeCondition) ?? fail('Unknown type');
  walk.visited = new Set();
  walkDirectives(fragment.Directives, 'FRAGMENT_DEFINITION', walk);
  walkSelections(fragment.SelectionSet, definition, walk);
  if (!isComposite(definition)) fail('Fragment cannot condition on a non composite type');
  if (!walk.spread.has(fragment.Name)) fail(`Fragment "${fragment.Name}" is never used`);
  walk.merge(fragment.SelectionSet);
}

function walkDirectives(directives: readonly Directive[], location: string, walk: QueryWalk): void {
  const seen = new Set<string>();
  for (const directive of directives) {
    const definition =
      walk.model.directives.get(directive.Name) ?? fail(`Unknown directive "@${directive.Name}"`);
    walkArguments(directive.Arguments, definition.Arguments, walk);
    checkDirective(directive, definition, location);
    if (seen.has(directive.Name) && !definition.IsRepeatable) fail('a directive more than once');
    seen.add(directive.Name);
  }
}

function walkArguments(
  given: readonly Argument[],
  definitions: readonly ArgumentDefinition[] | undefined,
  walk: QueryWalk,
): void {
  walk.charge(2 + given.length + (definitions?.length ?? 0));
  const known = new Map((definitions ?? []).toReversed().map((definition) => [definition.Name, definition]));
  for (const { Name, Value } of given) walkValue(Value, expectedBy(known.get(Name), walk.model), walk);
  checkArgumentNames(given, definitions);
}

function expectedBy(
  definition: ArgumentDefinition | FieldDefinition | undefined,
  { types }: SchemaModel,
): Expected | undefined {
  if (definition === undefined) return undefined;
  const { DefaultValue, Type } = definition;
  return {
    type: Type,
    definition: types.get(nameOfType(Type)),
    hasDefault: DefaultValue !== undefined && DefaultValue.Kind !== KIND.null,
  };
}

function walkValue(value: Value | undefined, expected: Expected | undefined, walk: QueryWalk): void {
  if (value === undefined) return fail('a value that is missing');
  walk.charge(10);
  const variable = value.Kind === KIND.variable ? walk.variables?.get(value.Raw) : undefined;
  if (variable !== undefined) walk.used.add(variable);
  for (const { Name, Value: child } of value.Kind === KIND.object ? value.Children : []) {
    const { definition } = expected ?? {};
    const field = definition === undefined ? undefined : walk.model.fields(definition, Name);
    walkValue(child, expectedBy(field, walk.model), walk);
  }
  for (const { Value: child } of value.Kind === KIND.list ? value.Children : []) {
    const element = expected?.type?.Elem;
    walkValue(
      child,
      element === undefined
        ? undefined
        : { type: element, definition: expected?.definition, hasDefault: false },
      walk,
    );
  }
  checkValue(value, expected, walk);
}

function walkSelections(
  selections: readonly Selection[],
  parent: Definition | undefined,
  walk: QueryWalk,
): void {
  for (const selection of selections) {
    walk.charge(20);
    if ('Alias' in selection) walkField(selection, parent, walk);
    else if ('TypeCondition' in selection) {
      const { Directives, SelectionSet, TypeCondition } = selection;
      const inner = TypeCondition === '' ? parent : walk.model.types.get(TypeCondition);
      walkDirectives(Directives, 'INLINE_FRAGMENT', walk);
      walkSelections(SelectionSet, inner, walk);
      checkInlineFragment(TypeCondition, parent, walk);
      walk.merge(SelectionSet);
    } else walkSpread(selection.Name, selection.Directives, parent, walk);
  }
}

function walkSpread(
  name: string,
  directives: readonly Directive[],
  parent: Definition | undefined,
  walk: QueryWalk,
): void {
  const fragment = walk.fragments.get(name) ?? fail(`Unknown fragment "${name}"`);
  const inner = walk.model.types.get(fragment.TypeCondition);
  walkDirectives(directives, 'FRAGMENT_SPREAD', walk);
  if (!walk.visited.has(name)) {
    walk.visited.add(name);
    walkDirectives(fragment.Directives, 'FRAGMENT_DEFINITION', walk);
    walkSelections(fragment.SelectionSet, inner, walk);
  }
  if (walk.variables !== undefined) walk.spread.add(name);
  checkSpread(fragment.TypeCondition, parent, walk);
}

const TYPE_NAME: FieldDefinition = {
  Name: '__typename',
  Description: '',
  Arguments: [],
  Type: { NamedType: 'String', NonNull: false },
  Directives: [],
};
const NAME: ArgumentDefinition = {
  Name: 'name',
  Description: '',
  Type: { NamedType: 'String', NonNull: true },
  Directives: [],
};
/** Of the type of queries. */
const INTROSPECTION: ReadonlyMap<string, FieldDefinition> = new Map([
  ['__schema', { ...TYPE_NAME, Name: '__schema', Type: { NamedType: '__Schema', NonNull: true } }],
  [
    '__type',
    { ...TYPE_NAME, Name: '__type', Type: { NamedType: '__Type', NonNull: false }, Arguments: [NAME] },
  ],
]);

function walkField(field: Field, parent: Definition | undefined, walk: QueryWalk): void {
  const definition = findField(field.Name, parent, walk.model);
  walk.found.set(field, { parent, definition });
  if (definition === undefined && parent !== undefined)
    fail(`Cannot query field "${field.Name}" on type "${parent.Name}"`);
  const type = definition === undefined ? undefined : walk.model.types.get(nameOfType(definition.Type));
  walkArguments(field.Arguments, definition?.Arguments, walk);
  walkDirectives(field.Directives, 'FIELD', walk);
  walkSelections(field.SelectionSet, type, walk);
  checkField(field, definition, type);
  if (INTROSPECTION.has(field.Name)) checkIntrospectionDepth(field, walk);
  if (walk.variables !== undefined) walk.merge(field.SelectionSet);
}

function findField(
  name: string,
  parent: Definition | undefined,
  { fields, roots }: SchemaModel,
): FieldDefinition | undefined {
  if (name === TYPE_NAME.Name) return TYPE_NAME;
  if (parent === undefined) return undefined;
  return fields(parent, name) ?? (parent === roots.get('query') ? INTROSPECTION.get(name) : undefined);
}

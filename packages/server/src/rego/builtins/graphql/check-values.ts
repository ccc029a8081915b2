import { fail } from '../operands.ts';
import { isCompatible } from './check-implements.ts';
import {
  KIND,
  type Argument,
  type ArgumentDefinition,
  type Definition,
  type Directive,
  type DirectiveDefinition,
  type Value,
} from './syntax-tree.ts';
import type { Expected, QueryWalk } from './query-walk.ts';

export function checkNoneTwice(names: readonly string[]): void {
  if (new Set(names).size < names.length) fail('There can be only one of a name');
}

/** Each once, each known, and all there that have to be; of an unknown field nothing is known. */
export function checkArgumentNames(
  given: readonly Argument[],
  definitions: readonly ArgumentDefinition[] | undefined,
): void {
  const names = new Set(given.map(({ Name }) => Name));
  if (names.size < given.length) fail('There can be only one argument of a name');
  if (definitions === undefined) return;
  const known = new Set(definitions.map(({ Name }) => Name));
  for (const name of names) if (!known.has(name)) fail(`Unknown argument "${name}"`);
  for (const { Name, DefaultValue, Type } of definitions) {
    if (Type?.NonNull === true && DefaultValue === undefined && !names.has(Name))
      fail(`argument "${Name}" is required, but it was not provided`);
  }
}

export function checkDirective(
  { Name }: Directive,
  { Locations }: DirectiveDefinition,
  location: string,
): void {
  if (!Locations.includes(location)) fail(`Directive "@${Name}" may not be used on ${location}`);
}

export function checkValue(value: Value, expected: Expected | undefined, walk: QueryWalk): void {
  if (value.Kind === KIND.object) checkNoneTwice(value.Children.map(({ Name }) => Name));
  if (value.Kind === KIND.variable) checkVariable(value, expected, walk);
  const { definition, type } = expected ?? {};
  if (definition === undefined || type === undefined) return;
  if (value.Kind === KIND.null && type.NonNull) fail('null for a type that has none');
  if (definition.Kind === 'SCALAR' && !KNOWN_SCALARS.includes(definition.Name)) return;
  checkRange(value);
  if (value.Kind === KIND.list && type.Elem === undefined) fail('a list for a type that is none');
  if (value.Kind === KIND.object) checkFields(value, definition, walk);
  const fits = LITERALS.get(value.Kind) ?? (() => true);
  if (!fits(definition, value)) fail(`a value that is no ${definition.Name}`);
}

const KNOWN_SCALARS = ['Int', 'Float', 'String', 'Boolean', 'ID'];

type Fits = (definition: Definition, value: Value) => boolean;
const named =
  (...names: readonly string[]): Fits =>
  ({ Name }) =>
    names.includes(Name);
const isText: Fits = ({ Kind, Name }) => Kind !== 'ENUM' && (Name === 'String' || Name === 'ID');

const LITERALS: ReadonlyMap<number, Fits> = new Map<number, Fits>([
  [KIND.int, named('Int', 'Float', 'ID')],
  [KIND.float, named('Float')],
  [KIND.string, isText],
  [KIND.block, isText],
  [KIND.boolean, named('Boolean')],
  [
    KIND.enum,
    ({ Kind, EnumValues }, { Raw }) => Kind === 'ENUM' && EnumValues.some(({ Name }) => Name === Raw),
  ],
]);

const LARGEST = 2n ** 63n;

/** Numbers that Go cannot hold, also inside of lists and objects. */
function checkRange({ Children, Kind, Raw }: Value): void {
  for (const { Value: child } of Children) if (child !== undefined) checkRange(child);
  if (Kind === KIND.int) {
    if (!/^[+-]?\d{1,19}$/.test(Raw)) fail('an integer that is too large');
    const integer = BigInt(Raw);
    if (integer >= LARGEST || integer < -LARGEST) fail('an integer that is too large');
  }
  if (Kind === KIND.float && !Number.isFinite(Number(Raw))) fail('a number that is too large');
}

function checkFields(value: Value, definition: Definition, walk: QueryWalk): void {
  const { Children } = value;
  const { charge, model } = walk;
  checkOneOf(value, definition, walk);
  charge(definition.Fields.length + Children.length);
  const given = new Set(Children.map(({ Name }) => Name));
  for (const { Name, DefaultValue, Type } of definition.Fields) {
    if (Type?.NonNull === true && DefaultValue === undefined && !given.has(Name))
      fail(`Field "${Name}" was not provided`);
  }
  for (const name of given) {
    if (model.fields(definition, name) === undefined) fail(`Field "${name}" is not defined`);
  }
}

/** Exactly one member, which is not null. */
function checkOneOf({ Children }: Value, definition: Definition, { variables }: QueryWalk): void {
  if (!definition.Directives.some(({ Name }) => Name === 'oneOf')) return;
  const [first, ...others] = Children;
  if (first === undefined || others.length > 0) return fail('must specify exactly one key');
  if (first.Value === undefined || first.Value.Kind === KIND.null) return fail('must be non-null');
  if (first.Value.Kind !== KIND.variable) return;
  if (variables?.get(first.Value.Raw)?.Type?.NonNull === false) fail('a variable that may be null');
}

/** It has to be declared, and may stand where its type may; a default makes up for null. */
function checkVariable({ Raw }: Value, expected: Expected | undefined, { variables }: QueryWalk): void {
  if (variables === undefined) return;
  const { DefaultValue, Type } = variables.get(Raw) ?? fail(`Variable "$${Raw}" is not defined`);
  if (expected?.type === undefined) return;
  const hasDefault = expected.hasDefault || (DefaultValue !== undefined && DefaultValue.Kind !== KIND.null);
  const wanted = hasDefault ? { ...expected.type, NonNull: false } : expected.type;
  if (!isCompatible(Type, wanted)) fail(`Variable "$${Raw}" used in a position of another type`);
}

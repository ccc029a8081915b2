import { BuiltinLimit } from '../builtin.ts';
import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import { checkImplements } from './check-implements.ts';
import { isInputKind, nameOfType, type SchemaModel } from './schema-model.ts';
import {
  KIND,
  type Argument,
  type ArgumentDefinition,
  type Definition,
  type Directive,
  type FieldDefinition,
  type SchemaDocument,
} from './syntax-tree.ts';

/** Fails when a schema says what it may not; as strict as gqlparser, which leaves some of the specification out. */
export function validateSchema(model: SchemaModel, document: SchemaDocument, charge: Charge): void {
  for (const { Directives } of [...document.Schema, ...document.SchemaExtension])
    checkDirectives(Directives, 'SCHEMA', { model, charge });
  for (const definition of model.types.values()) checkDefinition(definition, { model, charge });
  checkCycles({ model, charge });
  for (const directive of model.directives.values()) {
    checkName(directive.Name);
    checkArguments(directive.Arguments, { model, charge, inside: directive.Name });
  }
}

const MAX_DEPTH = 1000;

interface Check {
  readonly model: SchemaModel;
  readonly charge: Charge;
  /** The directive whose definition it is. */
  readonly inside?: string;
}

function checkName(name: string): void {
  if (name.startsWith('__')) fail(`Name "${name}" must not begin with "__"`);
}

function checkUnique(names: readonly string[], charge: Charge): void {
  charge(names.length);
  if (new Set(names).size < names.length) fail('a name that is defined more than once');
}

function checkDefinition(definition: Definition, check: Check): void {
  const { model, charge } = check;
  const { BuiltIn, Directives, EnumValues, Fields, Interfaces, Kind, Name, Types } = definition;
  charge(20);
  const location = Kind === 'INPUT_OBJECT' ? 'INPUT_FIELD_DEFINITION' : 'FIELD_DEFINITION';
  for (const field of Fields) {
    charge(10);
    checkName(field.Name);
    typeOf(field, model);
    checkArguments(field.Arguments, check);
    checkDirectives(field.Directives, location, check);
  }
  for (const name of Types) {
    if (model.types.get(name)?.Kind !== 'OBJECT') fail(`union type "${name}" must be OBJECT`);
  }
  for (const name of Interfaces) checkImplements(definition, name, model, charge);
  checkMembers(definition, check);
  checkUnique(
    Fields.map((field) => field.Name),
    charge,
  );
  checkUnique(
    EnumValues.map((value) => value.Name),
    charge,
  );
  checkUnique(Types, charge);
  if (!BuiltIn) checkName(Name);
  checkDirectives(Directives, Kind, check, true);
}

function checkMembers({ EnumValues, Fields, Kind, Name }: Definition, check: Check): void {
  const isInput = Kind === 'INPUT_OBJECT';
  if (isInput || Kind === 'OBJECT' || Kind === 'INTERFACE') {
    if (Fields.length === 0) fail(`${Kind} ${Name}: must define one or more fields`);
    for (const field of Fields) {
      const kind = typeOf(field, check.model).Kind;
      if (isInput ? !isInputKind(kind) : kind === 'INPUT_OBJECT') fail(`${Name}: a field of a wrong kind`);
    }
  }
  if (Kind !== 'ENUM') return;
  if (EnumValues.length === 0) fail(`${Kind} ${Name}: must define one or more unique enum values`);
  for (const value of EnumValues) {
    if (['true', 'false', 'null'].includes(value.Name)) fail(`${Kind} ${Name}: non-enum value ${value.Name}`);
    checkDirectives(value.Directives, 'ENUM_VALUE', check);
  }
}

function typeOf({ Type }: FieldDefinition | ArgumentDefinition, { types }: SchemaModel): Definition {
  const name = nameOfType(Type);
  return types.get(name) ?? fail(`Undefined type ${name}`);
}

function checkArguments(definitions: readonly ArgumentDefinition[], check: Check): void {
  for (const definition of definitions) {
    check.charge(10);
    checkName(definition.Name);
    const { Kind } = typeOf(definition, check.model);
    if (!isInputKind(Kind)) fail(`cannot use ${Kind} as argument ${definition.Name}`);
    checkDirectives(definition.Directives, 'ARGUMENT_DEFINITION', check);
  }
}

/** Those of a type come from it and from its extensions, where each may be once. */
function checkDirectives(
  directives: readonly Directive[],
  location: string,
  { model, charge, inside }: Check,
  isMerged = false,
): void {
  const seen = new Set<string>();
  for (const { Name, Arguments } of directives) {
    charge(10 + Arguments.length);
    checkName(Name);
    if (Name === inside) fail(`Directive ${Name} cannot refer to itself`);
    const definition = model.directives.get(Name) ?? fail(`Undefined directive ${Name}`);
    if (!isMerged && seen.has(Name) && !definition.IsRepeatable) fail(`directive ${Name} more than once`);
    seen.add(Name);
    if (!definition.Locations.includes(location)) fail(`Directive ${Name} is not applicable on ${location}`);
    checkGiven(Arguments, definition.Arguments, charge);
  }
}

function checkGiven(given: readonly Argument[], wanted: readonly ArgumentDefinition[], charge: Charge): void {
  charge(given.length + wanted.length);
  const values = new Map(given.toReversed().map(({ Name, Value }) => [Name, Value]));
  const known = new Set(wanted.map(({ Name }) => Name));
  for (const name of values.keys()) if (!known.has(name)) fail(`Undefined argument ${name}`);
  for (const { Name, Type, DefaultValue } of wanted) {
    const isNeeded = Type?.NonNull === true && DefaultValue === undefined;
    if (isNeeded && (values.get(Name)?.Kind ?? KIND.null) === KIND.null) fail(`Argument ${Name} is missing`);
  }
}

/** An input that has to hold itself could never be written. */
function checkCycles({ model, charge }: Check): void {
  const done = new Set<string>();
  const path = new Set<string>();
  for (const type of model.types.values()) follow(type);

  function follow(type: Definition): void {
    if (type.Kind !== 'INPUT_OBJECT' || done.has(type.Name)) return;
    if (path.size >= MAX_DEPTH) throw new BuiltinLimit('GraphQL inputs that are nested too deeply');
    path.add(type.Name);
    for (const { Type } of type.Fields) {
      charge(2);
      const next = Type?.NonNull === true ? model.types.get(Type.NamedType) : undefined;
      if (next === undefined) continue;
      if (path.has(next.Name)) fail(`Cannot reference Input Object "${next.Name}" within itself`);
      follow(next);
    }
    path.delete(type.Name);
    done.add(type.Name);
  }
}

import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import { parseSchemaDocument } from './parse-schema.ts';
import { PRELUDE } from './prelude.ts';
import type {
  Definition,
  DirectiveDefinition,
  FieldDefinition,
  SchemaDocument,
  TypeReference,
} from './syntax-tree.ts';

/** A schema with what every schema has, by names. */
export interface SchemaModel {
  readonly types: ReadonlyMap<string, Definition>;
  readonly directives: ReadonlyMap<string, DirectiveDefinition>;
  /** Names of the types that a value of a type may be of. */
  readonly possible: ReadonlyMap<string, ReadonlySet<string>>;
  readonly roots: ReadonlyMap<string, Definition>;
  readonly fields: FieldIndex;
}

/** Fields of a type by their names. */
export type FieldIndex = (type: Definition, name: string) => FieldDefinition | undefined;

let prelude: SchemaDocument | undefined;

/** Types and directives that no schema has to declare. */
function builtIns(): SchemaDocument {
  prelude ??= parseSchemaDocument(PRELUDE, () => undefined, true);
  return prelude;
}

/** Puts a document together; fails where its parts do not fit. What they say is for `validateSchema` to look at. */
export function createSchemaModel(document: SchemaDocument, charge: Charge): SchemaModel {
  charge(1000);
  const types = collectTypes(document, charge);
  const directives = collectDirectives(document);
  const model: SchemaModel = {
    types,
    directives,
    possible: collectPossible(types, charge),
    roots: collectRoots(document, types),
    fields: createFieldIndex(charge),
  };
  return model;
}

function collectTypes(document: SchemaDocument, charge: Charge): ReadonlyMap<string, Definition> {
  const types = new Map<string, Definition>();
  for (const definition of [...builtIns().Definitions, ...document.Definitions]) {
    charge(2);
    if (types.has(definition.Name)) fail(`Cannot redeclare type ${definition.Name}`);
    types.set(definition.Name, definition);
  }
  for (const extension of document.Extensions) {
    const base = types.get(extension.Name) ?? emptyDefinition(extension);
    if (base.Kind !== extension.Kind)
      fail(`Cannot extend type ${extension.Name}: it is a ${base.Kind}, not ${extension.Kind}`);
    const merged = {
      ...base,
      Directives: [...base.Directives, ...extension.Directives],
      Interfaces: [...base.Interfaces, ...extension.Interfaces],
      Fields: [...base.Fields, ...extension.Fields],
      Types: [...base.Types, ...extension.Types],
      EnumValues: [...base.EnumValues, ...extension.EnumValues],
    };
    charge(
      4 + merged.Fields.length + merged.EnumValues.length + merged.Types.length + merged.Directives.length,
    );
    types.set(extension.Name, merged);
  }
  return types;
}

function emptyDefinition({ Kind, Name }: Definition): Definition {
  return {
    Kind,
    Name,
    Description: '',
    Directives: [],
    Interfaces: [],
    Fields: [],
    Types: [],
    EnumValues: [],
    BuiltIn: false,
  };
}

/** Those that may be declared once more: a server may know them in a newer way. */
const REDECLARED = ['include', 'skip', 'deprecated', 'specifiedBy', 'defer', 'oneOf'];

function collectDirectives(document: SchemaDocument): ReadonlyMap<string, DirectiveDefinition> {
  const directives = new Map<string, DirectiveDefinition>();
  for (const definition of [...builtIns().Directives, ...document.Directives]) {
    if (directives.has(definition.Name) && !REDECLARED.includes(definition.Name))
      fail(`Cannot redeclare directive ${definition.Name}`);
    directives.set(definition.Name, definition);
  }
  return directives;
}

function collectPossible(
  types: ReadonlyMap<string, Definition>,
  charge: Charge,
): ReadonlyMap<string, ReadonlySet<string>> {
  const possible = new Map<string, Set<string>>();
  const add = (type: string, name: string): void => {
    charge(1);
    const names = possible.get(type) ?? new Set();
    possible.set(type, names.add(name));
  };
  for (const { Name, Kind, Types, Interfaces } of types.values()) {
    if (Kind === 'UNION') for (const type of Types) add(Name, type);
    if (Kind === 'OBJECT' || Kind === 'INPUT_OBJECT') add(Name, Name);
    if (Kind === 'OBJECT' || Kind === 'INPUT_OBJECT' || Kind === 'INTERFACE')
      for (const type of Interfaces) add(type, Name);
  }
  return possible;
}

function collectRoots(
  { Schema, SchemaExtension }: SchemaDocument,
  types: ReadonlyMap<string, Definition>,
): ReadonlyMap<string, Definition> {
  if (Schema.length > 1) fail('Cannot have multiple schema entry points');
  const roots = new Map<string, Definition>();
  for (const { OperationTypes } of [...Schema, ...SchemaExtension]) {
    for (const { Operation, Type } of OperationTypes) {
      const type = types.get(Type) ?? fail(`Schema root ${Operation} refers to a type that does not exist`);
      roots.set(Operation, type);
    }
  }
  if (Schema.length > 0) return roots;
  for (const [operation, name] of NAMED_ROOTS) {
    const type = types.get(name);
    if (type !== undefined && !roots.has(operation)) roots.set(operation, type);
  }
  return roots;
}

const NAMED_ROOTS = [
  ['query', 'Query'],
  ['mutation', 'Mutation'],
  ['subscription', 'Subscription'],
] as const;

function createFieldIndex(charge: Charge): FieldIndex {
  const known = new Map<Definition, ReadonlyMap<string, FieldDefinition>>();
  return (type, name) => {
    let fields = known.get(type);
    if (fields === undefined) {
      charge(1 + type.Fields.length);
      // The first of a name counts.
      fields = new Map(type.Fields.toReversed().map((field) => [field.Name, field]));
      known.set(type, fields);
    }
    return fields.get(name);
  };
}

/** The type at the core of lists. */
export function nameOfType(type: TypeReference | undefined): string {
  let at = type ?? fail('a type that is missing');
  while (at.NamedType === '') at = at.Elem ?? fail('a type without a name');
  return at.NamedType;
}

export function isComposite({ Kind }: Definition): boolean {
  return Kind === 'OBJECT' || Kind === 'INTERFACE' || Kind === 'UNION';
}

export function isInputKind(kind: string): boolean {
  return ['SCALAR', 'ENUM', 'INPUT_OBJECT'].includes(kind);
}

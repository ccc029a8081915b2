import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import type { SchemaModel } from './schema-model.ts';
import type { ArgumentDefinition, Definition, FieldDefinition, TypeReference } from './syntax-tree.ts';

/** Fails when a type is not what an interface asks of it. */
export function checkImplements(
  definition: Definition,
  name: string,
  model: SchemaModel,
  charge: Charge,
): void {
  const wanted = model.types.get(name) ?? fail(`Undefined type "${name}"`);
  if (wanted.Kind !== 'INTERFACE') fail(`"${name}" is a non interface type ${wanted.Kind}`);
  for (const field of wanted.Fields) {
    charge(10);
    const found = model.fields(definition, field.Name) ?? fail(`it must have a field called ${field.Name}`);
    if (!isCovariant(field.Type, found.Type, model)) fail(`field ${field.Name} must have another type`);
    checkParameters(field, found, charge);
  }
  for (const other of wanted.Interfaces) {
    charge(1 + (definition.Interfaces.length >> 3));
    if (!definition.Interfaces.includes(other))
      fail(`Type ${definition.Name} must implement ${other} because it is implemented by ${name}`);
  }
}

function checkParameters(wanted: FieldDefinition, found: FieldDefinition, charge: Charge): void {
  charge(wanted.Arguments.length + found.Arguments.length);
  const given = byName(found.Arguments);
  const known = byName(wanted.Arguments);
  for (const [name, { Type }] of known) {
    const other = given.get(name) ?? fail(`field ${wanted.Name} misses the argument ${name}`);
    if (!isCompatible(Type, other.Type)) fail(`argument ${name} has the wrong type`);
  }
  for (const [name, { Type, DefaultValue }] of given) {
    if (!known.has(name) && Type?.NonNull === true && DefaultValue === undefined)
      fail(`additional argument ${name} must be optional or have a default value`);
  }
}

function byName(definitions: readonly ArgumentDefinition[]): ReadonlyMap<string, ArgumentDefinition> {
  return new Map(definitions.toReversed().map((definition) => [definition.Name, definition]));
}

function isCovariant(
  wanted: TypeReference | undefined,
  found: TypeReference | undefined,
  model: SchemaModel,
): boolean {
  if (wanted === undefined || found === undefined || (wanted.NonNull && !found.NonNull)) return false;
  if (wanted.NamedType === '') return isCovariant(wanted.Elem, found.Elem, model);
  return (
    wanted.NamedType === found.NamedType ||
    model.possible.get(wanted.NamedType)?.has(found.NamedType) === true
  );
}

/** Whether what has a type may stand where the other one is wanted. */
export function isCompatible(type: TypeReference | undefined, wanted: TypeReference | undefined): boolean {
  if (type === undefined || wanted === undefined) return type === wanted;
  if (type.NamedType !== wanted.NamedType || !isCompatible(type.Elem, wanted.Elem)) return false;
  return type.NonNull || !wanted.NonNull;
}

import { sortedEntries } from '../../values/compare-values.ts';
import {
  isArray,
  isObject,
  isRegoNumber,
  RegoSet,
  type RegoObject,
  type RegoValue,
} from '../../values/rego-value.ts';
import { BuiltinFailure } from '../builtin.ts';
import { chargeValue, type Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import type { Field, QueryDocument, SchemaDocument, Selection } from './syntax-tree.ts';

/** A document that a policy gives as a tree; fails when it is none. */
export function readQueryTree(value: RegoObject, charge: Charge): QueryDocument {
  chargeValue(charge, value);
  return read('QueryDocument', value) as QueryDocument;
}

export function readSchemaTree(value: RegoObject, charge: Charge): SchemaDocument {
  chargeValue(charge, value);
  return read('SchemaDocument', value) as SchemaDocument;
}

type Shape =
  'text' | 'texts' | 'flag' | 'count' | 'selections' | { readonly one: Name } | { readonly list: Name };
type Name = keyof typeof SHAPES;

const COMMENT = { Comment: { one: 'Comments' } } as const;
const COMMENTS = {
  BeforeDescriptionComment: { one: 'Comments' },
  AfterDescriptionComment: { one: 'Comments' },
} as const;
const DIRECTIVES = { Directives: { list: 'Directive' } } as const;
const INPUT = {
  Description: 'text',
  Name: 'text',
  DefaultValue: { one: 'Value' },
  Type: { one: 'TypeReference' },
  ...DIRECTIVES,
  ...COMMENTS,
} as const;

/** What each part of a tree has, by gqlparser's names. */
const SHAPES = {
  QueryDocument: { Operations: { list: 'Operation' }, Fragments: { list: 'Fragment' }, ...COMMENT },
  Operation: {
    Operation: 'text',
    Name: 'text',
    VariableDefinitions: { list: 'Variable' },
    ...DIRECTIVES,
    SelectionSet: 'selections',
  },
  Fragment: {
    Name: 'text',
    VariableDefinition: { list: 'Variable' },
    TypeCondition: 'text',
    ...DIRECTIVES,
    SelectionSet: 'selections',
  },
  Variable: {
    Variable: 'text',
    Type: { one: 'TypeReference' },
    DefaultValue: { one: 'Value' },
    ...DIRECTIVES,
    Used: 'flag',
    ...COMMENT,
  },
  Field: {
    Alias: 'text',
    Name: 'text',
    Arguments: { list: 'Argument' },
    ...DIRECTIVES,
    SelectionSet: 'selections',
  },
  Spread: { Name: 'text', ...DIRECTIVES, ...COMMENT },
  InlineFragment: { TypeCondition: 'text', ...DIRECTIVES, SelectionSet: 'selections' },
  Argument: { Name: 'text', Value: { one: 'Value' }, ...COMMENT },
  Directive: { Name: 'text', Arguments: { list: 'Argument' }, Location: 'text' },
  Value: {
    Raw: 'text',
    Children: { list: 'ChildValue' },
    Kind: 'count',
    ExpectedTypeHasDefault: 'flag',
    ...COMMENT,
  },
  ChildValue: { Name: 'text', Value: { one: 'Value' }, ...COMMENT },
  TypeReference: { NamedType: 'text', Elem: { one: 'TypeReference' }, NonNull: 'flag' },
  Comments: { List: { list: 'Comment' } },
  Comment: { Value: 'text' },
  SchemaDocument: {
    Schema: { list: 'SchemaDefinition' },
    SchemaExtension: { list: 'SchemaDefinition' },
    Directives: { list: 'DirectiveDefinition' },
    Definitions: { list: 'Definition' },
    Extensions: { list: 'Definition' },
    ...COMMENT,
  },
  SchemaDefinition: {
    Description: 'text',
    ...DIRECTIVES,
    OperationTypes: { list: 'OperationType' },
    ...COMMENTS,
    EndOfDefinitionComment: { one: 'Comments' },
  },
  OperationType: { Operation: 'text', Type: 'text', ...COMMENT },
  Definition: {
    Kind: 'text',
    Description: 'text',
    Name: 'text',
    ...DIRECTIVES,
    Interfaces: 'texts',
    Fields: { list: 'FieldDefinition' },
    Types: 'texts',
    EnumValues: { list: 'EnumValue' },
    BuiltIn: 'flag',
    ...COMMENTS,
    EndOfDefinitionComment: { one: 'Comments' },
  },
  FieldDefinition: { ...INPUT, Arguments: { list: 'ArgumentDefinition' } },
  ArgumentDefinition: INPUT,
  EnumValue: { Description: 'text', Name: 'text', ...DIRECTIVES, ...COMMENTS },
  DirectiveDefinition: {
    Description: 'text',
    Name: 'text',
    Arguments: { list: 'ArgumentDefinition' },
    Locations: 'texts',
    IsRepeatable: 'flag',
    ...COMMENTS,
  },
} as const;

/** Those whose names have to be spelled exactly; Go reads others in any case. */
const EXACT: ReadonlySet<Name> = new Set(['Operation', 'Fragment', 'Field', 'InlineFragment']);

function read(name: Name, value: RegoValue): object {
  if (!isObject(value)) return fail(`${name} must be an object`);
  const shape: Readonly<Record<string, Shape>> = SHAPES[name];
  const part: Record<string, unknown> = Object.fromEntries(
    Object.entries(shape).map(([member, kind]) => [member, emptyOf(kind)]),
  );
  const spellings = new Map(Object.keys(shape).map((member) => [member.toLowerCase(), member]));
  for (const [key, item] of sortedEntries(value)) {
    if (typeof key !== 'string' || item === null) continue;
    const member = EXACT.has(name) ? key : spellings.get(key.toLowerCase());
    const kind = member !== undefined && Object.hasOwn(shape, member) ? shape[member] : undefined;
    if (member !== undefined && kind !== undefined) part[member] = readMember(kind, item, member);
  }
  return part;
}

function emptyOf(shape: Shape): unknown {
  switch (shape) {
    case 'text':
      return '';
    case 'flag':
      return false;
    case 'count':
      return 0;
    case 'texts':
    case 'selections':
      return [];
    default:
      return 'list' in shape ? [] : undefined;
  }
}

function readMember(shape: Shape, value: RegoValue, name: string): unknown {
  switch (shape) {
    case 'text':
      return typeof value === 'string' ? value : fail(`${name} must be a string`);
    case 'flag':
      return typeof value === 'boolean' ? value : fail(`${name} must be a boolean`);
    case 'count':
      return isRegoNumber(value) && Number.isSafeInteger(value) ? value : fail(`${name} must be an integer`);
    case 'texts':
      return itemsOf(value, name).map((item) => readMember('text', item ?? '', name));
    case 'selections':
      return itemsOf(value, name).flatMap(readSelection);
    default:
      return 'list' in shape
        ? itemsOf(value, name).map((item) => read(shape.list, item))
        : read(shape.one, value);
  }
}

function itemsOf(value: RegoValue, name: string): readonly RegoValue[] {
  if (value instanceof RegoSet) return value.members;
  return isArray(value) ? value : fail(`${name} must be an array`);
}

/** As gqlparser: whatever can be one is a field, also what was a spread or an inline fragment, and what is nothing is left out. */
function readSelection(value: RegoValue): readonly Selection[] {
  for (const name of ['Field', 'Spread', 'InlineFragment'] as const) {
    try {
      return [read(name, value ?? new Map()) as Field];
    } catch (error) {
      if (!(error instanceof BuiltinFailure)) throw error;
    }
  }
  return [];
}

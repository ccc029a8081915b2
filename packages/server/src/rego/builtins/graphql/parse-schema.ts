import type { Charge } from '../charge.ts';
import { fail } from '../operands.ts';
import { parseDirectives, parseType, parseValue } from './parse-values.ts';
import type {
  ArgumentDefinition,
  Comments,
  Definition,
  DefinitionKind,
  DirectiveDefinition,
  EnumValue,
  FieldDefinition,
  OperationType,
  SchemaDefinition,
  SchemaDocument,
} from './syntax-tree.ts';
import { BRACES, PARENTHESES, TokenReader } from './token-reader.ts';

/** Fails when it is none. */
export function parseSchemaDocument(text: string, charge: Charge, isBuiltIn = false): SchemaDocument {
  const tokens = new TokenReader(text, charge);
  const document: SchemaDocument = {
    Schema: [],
    SchemaExtension: [],
    Directives: [],
    Definitions: [],
    Extensions: [],
  };
  while (!tokens.is('end')) parseTop(tokens, document);
  for (const definition of [...document.Definitions, ...document.Extensions]) definition.BuiltIn = isBuiltIn;
  document.Comment = tokens.comments;
  return document;
}

interface Head {
  readonly Description: string;
  readonly BeforeDescriptionComment?: Comments | undefined;
  readonly AfterDescriptionComment?: Comments | undefined;
}

const KINDS: ReadonlyMap<string, DefinitionKind> = new Map([
  ['scalar', 'SCALAR'],
  ['type', 'OBJECT'],
  ['interface', 'INTERFACE'],
  ['union', 'UNION'],
  ['enum', 'ENUM'],
  ['input', 'INPUT_OBJECT'],
]);

function parseTop(tokens: TokenReader, document: SchemaDocument): void {
  const description = parseDescription(tokens);
  const token = tokens.peek();
  if (token.kind !== 'name') return tokens.unexpected();
  if (token.value === 'extend') {
    if (description.text !== '') tokens.unexpected();
    return parseExtension(tokens, document);
  }
  const head: Head = {
    Description: description.text,
    BeforeDescriptionComment: description.comments,
    AfterDescriptionComment: tokens.comments,
  };
  const kind = KINDS.get(token.value);
  if (kind !== undefined) {
    tokens.next();
    document.Definitions.push(parseDefinition(tokens, kind, head));
  } else if (token.value === 'schema') {
    tokens.next();
    document.Schema.push(parseSchemaDefinition(tokens, head));
  } else if (token.value === 'directive') {
    tokens.next();
    document.Directives.push(parseDirectiveDefinition(tokens, head));
  } else tokens.unexpected();
}

/** It has to say something. */
function parseExtension(tokens: TokenReader, document: SchemaDocument): void {
  const head: Head = { Description: '', AfterDescriptionComment: tokens.comments };
  tokens.next();
  const word = tokens.peek().value;
  tokens.expect('name');
  if (word === 'schema') {
    const extension = parseSchemaDefinition(tokens, head);
    if (extension.Directives.length + extension.OperationTypes.length === 0) tokens.unexpected();
    document.SchemaExtension.push(extension);
    return;
  }
  const kind = KINDS.get(word) ?? fail(`Unexpected ${word}`);
  const extension = parseDefinition(tokens, kind, head, true);
  const { Directives, Interfaces, Fields, Types, EnumValues } = extension;
  if ([Directives, Interfaces, Fields, Types, EnumValues].every(({ length }) => length === 0))
    tokens.unexpected();
  document.Extensions.push(extension);
}

function parseDefinition(
  tokens: TokenReader,
  kind: DefinitionKind,
  head: Head,
  isExtension = false,
): Definition {
  const definition: Definition = {
    Kind: kind,
    ...head,
    Name: tokens.name(),
    Directives: [],
    Interfaces: [],
    Fields: [],
    Types: [],
    EnumValues: [],
    BuiltIn: false,
  };
  const atEnd = (): void => {
    definition.EndOfDefinitionComment = tokens.comments;
  };
  // An extension of an interface implements none in gqlparser.
  if ((kind === 'OBJECT' || (kind === 'INTERFACE' && !isExtension)) && tokens.peek().value === 'implements') {
    tokens.next();
    definition.Interfaces = tokens.separated('&');
  }
  definition.Directives = parseDirectives(tokens, !(isExtension && kind === 'INPUT_OBJECT'));
  if (kind === 'OBJECT' || kind === 'INTERFACE')
    definition.Fields = tokens.some(BRACES, () => parseField(tokens), atEnd);
  else if (kind === 'INPUT_OBJECT')
    definition.Fields = tokens.some(BRACES, () => ({ ...parseInput(tokens), Arguments: [] }), atEnd);
  else if (kind === 'ENUM') definition.EnumValues = tokens.some(BRACES, () => parseEnumValue(tokens), atEnd);
  else if (kind === 'UNION' && tokens.skip('=')) definition.Types = tokens.separated('|');
  return definition;
}

function parseSchemaDefinition(tokens: TokenReader, head: Head): SchemaDefinition {
  const definition: SchemaDefinition = {
    ...head,
    Directives: parseDirectives(tokens, true),
    OperationTypes: [],
  };
  definition.OperationTypes = tokens.some(
    BRACES,
    (): OperationType => {
      const comments = tokens.comments;
      const operation = tokens.next().value;
      if (!['query', 'mutation', 'subscription'].includes(operation)) fail(`Unexpected ${operation}`);
      tokens.expect(':');
      return { Operation: operation, Type: tokens.name(), Comment: comments };
    },
    () => {
      definition.EndOfDefinitionComment = tokens.comments;
    },
  );
  return definition;
}

function parseDescription(tokens: TokenReader): { text: string; comments: Comments | undefined } {
  const { kind } = tokens.peek();
  const comments = tokens.comments;
  return kind === 'string' || kind === 'block'
    ? { text: tokens.next().value, comments }
    : { text: '', comments: undefined };
}

/** Of a member; an empty description is none. */
function parseHead(tokens: TokenReader): Head {
  const { text, comments } = parseDescription(tokens);
  tokens.peek();
  return {
    Description: text,
    BeforeDescriptionComment: text === '' ? undefined : comments,
    AfterDescriptionComment: tokens.comments,
  };
}

function parseField(tokens: TokenReader): FieldDefinition {
  const head = parseHead(tokens);
  const name = tokens.name();
  const parameters = tokens.some(PARENTHESES, () => parseInput(tokens));
  tokens.expect(':');
  return {
    ...head,
    Name: name,
    Arguments: parameters,
    Type: parseType(tokens),
    Directives: parseDirectives(tokens, true),
  };
}

function parseInput(tokens: TokenReader): ArgumentDefinition {
  const head = parseHead(tokens);
  const name = tokens.name();
  tokens.expect(':');
  return {
    ...head,
    Name: name,
    Type: parseType(tokens),
    DefaultValue: tokens.skip('=') ? parseValue(tokens, true) : undefined,
    Directives: parseDirectives(tokens, true),
  };
}

function parseEnumValue(tokens: TokenReader): EnumValue {
  const head = parseHead(tokens);
  return { ...head, Name: tokens.name(), Directives: parseDirectives(tokens, true) };
}

const LOCATIONS: ReadonlySet<string> = new Set(
  (
    'QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION ' +
    'SCHEMA SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT ' +
    'INPUT_FIELD_DEFINITION'
  ).split(' '),
);

function parseDirectiveDefinition(tokens: TokenReader, head: Head): DirectiveDefinition {
  tokens.expect('@');
  const name = tokens.name();
  const parameters = tokens.some(PARENTHESES, () => parseInput(tokens));
  const isRepeatable = tokens.isName('repeatable');
  if (isRepeatable) tokens.next();
  tokens.keyword('on');
  const locations = tokens.separated('|');
  for (const location of locations) if (!LOCATIONS.has(location)) fail(`Unexpected ${location}`);
  return { ...head, Name: name, Arguments: parameters, Locations: locations, IsRepeatable: isRepeatable };
}

import type { Charge } from '../charge.ts';
import { parseArguments, parseDirectives, parseType, parseValue, parseVariableName } from './parse-values.ts';
import type { Field, Fragment, Operation, QueryDocument, Selection, Variable } from './syntax-tree.ts';
import { BRACES, PARENTHESES, TokenReader } from './token-reader.ts';

const OPERATIONS = ['query', 'mutation', 'subscription'];

/** Fails when it is none. */
export function parseQuery(text: string, charge: Charge): QueryDocument {
  const tokens = new TokenReader(text, charge);
  const document: QueryDocument = { Operations: [], Fragments: [] };
  while (!tokens.is('end')) {
    if (tokens.isName('fragment')) document.Fragments.push(parseFragment(tokens));
    else document.Operations.push(parseOperation(tokens));
  }
  return document;
}

function parseOperation(tokens: TokenReader): Operation {
  const { kind, value } = tokens.peek();
  const comments = tokens.comments;
  if (kind === '{') {
    return {
      Operation: 'query',
      Name: '',
      VariableDefinitions: [],
      Directives: [],
      SelectionSet: parseSelections(tokens),
      // As in gqlparser, which looks for it too late.
    };
  }
  if (kind !== 'name' || !OPERATIONS.includes(value)) return tokens.unexpected();
  tokens.next();
  return {
    Operation: value,
    Name: tokens.is('name') ? tokens.name() : '',
    VariableDefinitions: parseVariables(tokens),
    Directives: parseDirectives(tokens, false),
    SelectionSet: parseSelections(tokens),
    Comment: comments,
  };
}

function parseFragment(tokens: TokenReader): Fragment {
  const comments = tokens.comments;
  tokens.keyword('fragment');
  const name = parseFragmentName(tokens);
  const variables = parseVariables(tokens);
  tokens.keyword('on');
  return {
    Name: name,
    VariableDefinition: variables,
    TypeCondition: tokens.name(),
    Directives: parseDirectives(tokens, false),
    SelectionSet: parseSelections(tokens),
    Comment: comments,
  };
}

function parseFragmentName(tokens: TokenReader): string {
  return tokens.peek().value === 'on' ? tokens.unexpected() : tokens.name();
}

function parseVariables(tokens: TokenReader): Variable[] {
  return tokens.some(PARENTHESES, (): Variable => {
    const comments = tokens.comments;
    const name = parseVariableName(tokens);
    tokens.expect(':');
    return {
      Variable: name,
      Type: parseType(tokens),
      DefaultValue: tokens.skip('=') ? parseValue(tokens, true) : undefined,
      Directives: parseDirectives(tokens, false),
      Used: false,
      Comment: comments,
    };
  });
}

function parseSelections(tokens: TokenReader): Selection[] {
  if (!tokens.is('{')) return tokens.unexpected();
  return tokens.some(BRACES, () => (tokens.is('...') ? parseSpread(tokens) : parseField(tokens)));
}

function parseField(tokens: TokenReader): Field {
  const comments = tokens.comments;
  const alias = tokens.name();
  return {
    Alias: alias,
    Name: tokens.skip(':') ? tokens.name() : alias,
    Arguments: parseArguments(tokens, false),
    Directives: parseDirectives(tokens, false),
    SelectionSet: tokens.is('{') ? parseSelections(tokens) : [],
    Comment: comments,
  };
}

function parseSpread(tokens: TokenReader): Selection {
  const comments = tokens.comments;
  tokens.expect('...');
  const { kind, value } = tokens.peek();
  if (kind === 'name' && value !== 'on')
    return { Name: tokens.name(), Directives: parseDirectives(tokens, false), Comment: comments };
  // As in gqlparser: a string that says `on` is taken for the word.
  let condition = '';
  if (value === 'on') {
    tokens.next();
    condition = tokens.name();
  }
  return {
    TypeCondition: condition,
    Directives: parseDirectives(tokens, false),
    SelectionSet: parseSelections(tokens),
    Comment: comments,
  };
}

import {
  KIND,
  type Argument,
  type ChildValue,
  type Directive,
  type TypeReference,
  type Value,
} from './syntax-tree.ts';
import { BRACES, BRACKETS, PARENTHESES, type TokenReader } from './token-reader.ts';

/** What queries and schemas have in common. */
export function parseArguments(tokens: TokenReader, isConstant: boolean): Argument[] {
  return tokens.some(PARENTHESES, () => parseNamedValue(tokens, isConstant));
}

export function parseDirectives(tokens: TokenReader, isConstant: boolean): Directive[] {
  const directives: Directive[] = [];
  while (tokens.skip('@')) {
    directives.push({ Name: tokens.name(), Arguments: parseArguments(tokens, isConstant), Location: '' });
  }
  return directives;
}

export function parseType(tokens: TokenReader): TypeReference {
  if (!tokens.skip('[')) return { NamedType: tokens.name(), NonNull: tokens.skip('!') };
  const inner = tokens.deeper(() => parseType(tokens));
  tokens.expect(']');
  return { NamedType: '', Elem: inner, NonNull: tokens.skip('!') };
}

export function parseValue(tokens: TokenReader, isConstant: boolean): Value {
  const { comments } = tokens;
  const token = tokens.peek();
  switch (token.kind) {
    case '[': {
      const children = tokens.many(BRACKETS, (): ChildValue => ({
        Name: '',
        Value: parseValue(tokens, isConstant),
      }));
      return { ...createValue('', KIND.list), Children: children ?? [], Comment: comments };
    }
    case '{': {
      const children = tokens.many(BRACES, () => parseNamedValue(tokens, isConstant));
      return { ...createValue('', KIND.object), Children: children ?? [], Comment: comments };
    }
    case '$':
      if (isConstant) return tokens.unexpected();
      return createValue(parseVariableName(tokens), KIND.variable);
    case 'int':
    case 'float':
    case 'string':
    case 'block':
      tokens.next();
      return createValue(token.value, KIND[token.kind]);
    case 'name':
      tokens.next();
      return createValue(token.value, WORDS.get(token.value) ?? KIND.enum);
    default:
      return tokens.unexpected();
  }
}

const WORDS: ReadonlyMap<string, number> = new Map([
  ['true', KIND.boolean],
  ['false', KIND.boolean],
  ['null', KIND.null],
]);

export function parseVariableName(tokens: TokenReader): string {
  tokens.expect('$');
  return tokens.name();
}

function createValue(raw: string, kind: number): Value {
  return { Raw: raw, Children: [], Kind: kind, ExpectedTypeHasDefault: false };
}

function parseNamedValue(tokens: TokenReader, isConstant: boolean): Argument & ChildValue {
  tokens.peek();
  const comments = tokens.comments;
  const name = tokens.name();
  tokens.expect(':');
  return { Name: name, Value: parseValue(tokens, isConstant), Comment: comments };
}

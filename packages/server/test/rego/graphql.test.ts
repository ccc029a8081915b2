import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { BuiltinFailure, BuiltinLimit } from '../../src/rego/builtins/builtin.ts';
import { BUILTINS } from '../../src/rego/builtins/builtins.ts';
import { parseValue } from '../../src/rego/values/parse-value.ts';
import { isArray, type RegoValue } from '../../src/rego/values/rego-value.ts';
import { callBuiltin, createContext } from './support/evaluate-call.ts';

const SCHEMA = `type Query { me: User! users(first: Int = 10): [User!]! }
type User { id: ID! name: String friends: [User] }`;

describe('GraphQL', () => {
  test('a query as the tree that gqlparser makes of it, without what is empty', () => {
    assert.deepEqual(callBuiltin('graphql.parse_query', '# all\nquery Q { me { id } }'), {
      Operations: [
        {
          Comment: { List: [{ Value: '# all' }] },
          Operation: 'query',
          Name: 'Q',
          SelectionSet: [{ Alias: 'me', Name: 'me', SelectionSet: [{ Alias: 'id', Name: 'id' }] }],
        },
      ],
    });
    assert.deepEqual(callBuiltin('graphql.parse_query', ''), {});
    assert.equal(callBuiltin('graphql.parse_query', '{'), undefined);
  });

  test('a schema as a tree', () => {
    assert.deepEqual(callBuiltin('graphql.parse_schema', '"d" scalar Date'), {
      Definitions: [{ Kind: 'SCALAR', Description: 'd', Name: 'Date', BuiltIn: false }],
    });
  });

  test('what a query may ask is what its schema has', () => {
    const isValid = (query: string): unknown => callBuiltin('graphql.is_valid', query, SCHEMA);
    assert.equal(isValid('{ me { id name friends { id } } __typename }'), true);
    assert.equal(isValid('{ me { nothing } }'), false);
    assert.equal(isValid('query($n: Int) { users(first: $n) { id } }'), true);
    assert.equal(isValid('query($n: ID) { users(first: $n) { id } }'), false);
    assert.equal(isValid('{ me { ...F } } fragment F on User { friends { ...F } }'), false);
    assert.equal(isValid('{ me { a: id a: name } }'), false);
    assert.equal(callBuiltin('graphql.schema_is_valid', 'type A { a: Nothing }'), false);
    assert.equal(callBuiltin('graphql.schema_is_valid', SCHEMA), true);
  });

  test('trees of a query and its schema, or false', () => {
    const query = '{ me { id } }';
    const [isValid, tree, schema] = callBuiltin('graphql.parse_and_verify', query, SCHEMA) as unknown[];
    assert.equal(isValid, true);
    assert.deepEqual([tree, schema], callBuiltin('graphql.parse', query, SCHEMA));
    assert.deepEqual(callBuiltin('graphql.parse_and_verify', tree, schema), [true, tree, schema]);
    assert.deepEqual(callBuiltin('graphql.parse_and_verify', '{ x }', SCHEMA), [false, {}, {}]);
    assert.equal(callBuiltin('graphql.parse', '{ x }', SCHEMA), undefined);
  });

  const many = (count: number, make: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => make(index)).join('\n');
  const HOSTILE: readonly (readonly [name: string, query: string, schema?: string])[] = [
    ['a megabyte of fields', `{ ${'id '.repeat(350_000)} }`],
    ['the same field again and again', `{ ${'me { id } '.repeat(900)} }`],
    ['braces without an end', '{a'.repeat(300_000)],
    ['lists without an end', `{ a(x: ${'['.repeat(300_000)}`],
    ['types without an end', `query($x: ${'['.repeat(300_000)}`],
    ['a string without an end', `{ a(x: "${'x'.repeat(1_000_000)}`],
    ['quotes', '"'.repeat(1_000_000)],
    ['quotes in a block', `{ a(x: """${'" '.repeat(400_000)}`],
    ['escaped quotes', `{ a(x: """${String.raw`\"""`.repeat(200_000)}""") }`],
    ['comments', '# x\n'.repeat(200_000)],
    ['digits', `{ a(x: ${'9'.repeat(900_000)}) }`],
    ['fragments in fragments', `{ ...f0 } ${many(900, (n) => `fragment f${n} on Query { ...f${n + 1} }`)}`],
    [
      'fragments that double',
      `{ ...f0 } ${many(40, (n) => `fragment f${n} on Query { __schema { types { ...g${n} } } ...f${n + 1} ...f${n + 1} }`)}`,
    ],
    [
      'introspection by fragments that double',
      `{ __schema { types { ...f0 } } } ${many(30, (n) => `fragment f${n} on __Type { ofType { ...f${n + 1} } a: ofType { ...f${n + 1} } }`)} fragment f30 on __Type { name }`,
    ],
    [
      'fields to merge that double',
      `{ ${'me { '.repeat(1)} ${many(300, (n) => `friends { ...f${n} }`)} } } ${many(300, (n) => `fragment f${n} on User { friends { ${many(5, (m) => `...f${(n + m) % 300}`)} } }`)}`,
    ],
    ['arguments', `{ ${'users('.repeat(1)}${many(8000, (n) => `a${n}: 1`)}) { id } }`],
    ['variables', `query(${many(5000, (n) => `$v${n}: Int`)}) { me { id } }`],
    ['types', '{ a }', many(8000, (n) => `type T${n} { a: T${n + 1} }`)],
    [
      'extensions of one type',
      '{ a }',
      `type Query { a: Int } ${many(3000, (n) => `extend type Query { a${n}: Int }`)}`,
    ],
    ['inputs in inputs', '{ a }', many(2500, (n) => `input I${n} { a: I${n + 1}! }`)],
    [
      'interfaces',
      '{ a }',
      `${many(150, (n) => `interface I${n} { a: Int }`)} type A implements ${many(150, (n) => `& I${n}`)} { a: Int }`,
    ],
    [
      'unions',
      '{ u { __typename } }',
      `type Query { u: U } union U = ${many(4000, () => '| A')} type A { a: Int }`,
    ],
  ];
  for (const [name, query, schema = SCHEMA] of HOSTILE) {
    test(`${name}: an answer or a limit`, () => {
      run('graphql.parse_query', [query]);
      run('graphql.is_valid', [query, schema]);
      run('graphql.parse_and_verify', [query, schema]);
      run('graphql.schema_is_valid', [schema]);
    });
  }

  test('any words: what is said of a text is said of its tree', () => {
    const word = fc.constantFrom(
      ...'{ } ( ) [ ] : = ! $ @ ... "x" """y""" 5 1.5 query on fragment me id users first name User Query null'.split(
        ' ',
      ),
    );
    const query = fc.oneof(
      fc.array(word, { maxLength: 20 }).map((words) => words.join(' ')),
      fc.array(word, { maxLength: 6 }).map((words) => `{ me { id ${words.join(' ')} } }`),
    );
    fc.assert(
      fc.property(query, (text) => {
        const tree = run('graphql.parse_query', [text]);
        const answer = run('graphql.parse_and_verify', [text, SCHEMA]);
        assert.ok(isArray(answer as RegoValue));
        const [isValid, verified] = answer as readonly RegoValue[];
        assert.equal(run('graphql.is_valid', [text, SCHEMA]), isValid);
        if (isValid === true) assert.deepEqual(verified, tree);
      }),
      { seed: 11, numRuns: 1000 },
    );
  });
});

/** What it gives; undefined when it fails or ends at a limit. Everything else that is thrown fails the test. */
function run(name: string, args: readonly string[]): RegoValue | undefined {
  const values = parseValue(JSON.stringify(args));
  assert.ok(values !== undefined && isArray(values));
  try {
    return BUILTINS.get(name)?.(values, createContext());
  } catch (error) {
    if (error instanceof BuiltinFailure || error instanceof BuiltinLimit) return undefined;
    throw error;
  }
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { BuiltinFailure, BuiltinLimit } from '../../src/rego/builtins/builtin.ts';
import { BUILTINS } from '../../src/rego/builtins/builtins.ts';
import { parseValue } from '../../src/rego/values/parse-value.ts';
import { isArray, type RegoValue } from '../../src/rego/values/rego-value.ts';
import { callBuiltin, createContext } from './support/evaluate-call.ts';

describe('JSON schemas', () => {
  test('a document that matches has no errors', () => {
    const schema = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] };
    assert.deepEqual(callBuiltin('json.match_schema', { id: 5 }, schema), [true, []]);
    assert.deepEqual(callBuiltin('json.match_schema', '{"id": 5}', JSON.stringify(schema)), [true, []]);
  });

  test('an error says where, what and of which kind', () => {
    const schema = { properties: { a: { items: { type: ['integer', 'null'] } } }, required: ['b'] };
    assert.deepEqual(callBuiltin('json.match_schema', { a: [1, 'x'] }, schema), [
      false,
      [
        { error: '(Root): b is required', type: 'required', field: '(Root)', desc: 'b is required' },
        {
          error: 'a.1: Invalid type. Expected: [integer,null], given: string',
          type: 'invalid_type',
          field: 'a.1',
          desc: 'Invalid type. Expected: [integer,null], given: string',
        },
      ],
    ]);
  });

  test('of alternatives the one that is nearest tells what is wrong', () => {
    const schema = { anyOf: [{ required: ['x', 'y'] }, { properties: { a: { minimum: 1_000_000 } } }] };
    const [, errors] = callBuiltin('json.match_schema', { a: 5 }, schema) as [boolean, { desc: string }[]];
    assert.deepEqual(
      errors.map(({ desc }) => desc),
      ['Must validate at least one schema (anyOf)', 'Must be greater than or equal to 1e+06'],
    );
  });

  test('a schema that is none is told by its first fault', () => {
    const verify = (schema: unknown): unknown => callBuiltin('json.verify_schema', schema);
    assert.deepEqual(verify({ $ref: '#' }), [true, null]);
    assert.deepEqual(verify('{'), [false, 'jsonschema: invalid JSON string']);
    assert.deepEqual(verify({ minLength: -1, title: 5 }), [
      false,
      'jsonschema: Invalid type. Expected: string, given: title',
    ]);
  });

  test('nothing is fetched, and the schemas of schemas are known', () => {
    assert.deepEqual(callBuiltin('json.verify_schema', { $ref: 'http://example.com/schema.json#/a' }), [
      false,
      'jsonschema: remote reference loading disabled: http://example.com/schema.json#/a',
    ]);
    assert.deepEqual(callBuiltin('json.verify_schema', { $ref: 'file:///etc/passwd' }), [
      false,
      'jsonschema: remote reference loading disabled: file:///etc/passwd',
    ]);
    for (const draft of ['04', '06', '07']) {
      const schema = { $ref: `http://json-schema.org/draft-${draft}/schema#` };
      assert.deepEqual(callBuiltin('json.match_schema', { minLength: 1 }, schema), [true, []]);
      const [isValid] = callBuiltin('json.match_schema', { minLength: -1 }, schema) as [boolean];
      assert.equal(isValid, false);
    }
  });

  test('numbers are compared without loss', () => {
    const match = (document: string, schema: string): unknown =>
      (callBuiltin('json.match_schema', document, schema) as [boolean])[0];
    assert.equal(match('0.3', '{"multipleOf": 0.1}'), true);
    assert.equal(match('12345678901234567891', '{"maximum": 12345678901234567890}'), false);
    assert.equal(match('1e3', '{"type": "integer", "minimum": 1000.0}'), true);
    assert.equal(match('1e99999', '{"exclusiveMaximum": 1e-99999}'), false);
  });

  const deep = '{"not":'.repeat(400) + 'true' + '}'.repeat(400);
  const wide = JSON.stringify({
    properties: Object.fromEntries(
      Array.from({ length: 20_000 }, (_, index) => [`p${index}`, { enum: [index] }]),
    ),
  });
  const chain = JSON.stringify({
    $ref: '#/definitions/0',
    definitions: Array.from({ length: 5000 }, (_, index) => ({ $ref: `#/definitions/${index + 1}` })),
  });
  const doubling = {
    definitions: Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => {
        const next = { $ref: `#/definitions/d${index + 1}` };
        return [`d${index}`, index === 59 ? { type: 'string' } : { allOf: [next, next] }];
      }),
    ),
    $ref: '#/definitions/d0',
  };
  const HOSTILE: readonly (readonly [name: string, document: unknown, schema: unknown])[] = [
    ['a reference to itself', {}, { $ref: '#' }],
    ['references to each other', {}, { $ref: '#/a', a: { $ref: '#/b' }, b: { $ref: '#/a' } }],
    ['a combination of itself', {}, { allOf: [{ $ref: '#' }] }],
    ['combinations that double', 5, doubling],
    ['a chain of references', {}, chain],
    ['a pattern that backtracks', `"${'a'.repeat(50_000)}"`, { pattern: '^(a+)+$b' }],
    ['a pattern that is large', '"a"', { pattern: '((a{1,100}){1,100}){1,100}' }],
    ['many patterns and names', numbered(3000), { patternProperties: numbered(3000) }],
    ['many errors', numbered(50_000), { additionalProperties: false }],
    [
      'errors with a long text',
      Array.from({ length: 5000 }, () => 1),
      { items: { const: 'x'.repeat(100_000) } },
    ],
    ['a megabyte of schema', {}, `{"enum": [${'1e5,'.repeat(260_000)}0]}`],
    ['many properties', {}, wide],
    ['a schema that is deep', {}, deep],
    ['a document that is deep', '['.repeat(5000) + ']'.repeat(5000), { items: { $ref: '#' } }],
    ['numbers beyond reason', '1e999999999', { multipleOf: 3 }],
    ['numbers of many digits', '9'.repeat(500_000), `{"multipleOf": ${'7'.repeat(250_000)}}`],
    ['numbers far from each other', '1e90000', '{"multipleOf": 7e-90000}'],
    ['mail addresses', `"${'('.repeat(300_000)}"`, { format: 'email' }],
    ['host names', `"${'a-'.repeat(100_000)}"`, { format: 'hostname' }],
    ['templates', `"${'{'.repeat(60_000)}"`, { format: 'uri-template' }],
    ['identifiers', {}, `[${'{"$id":"a/b/../c"},'.repeat(20_000)}{}]`],
  ];
  for (const [name, document, schema] of HOSTILE) {
    test(`${name}: an answer or a limit, and work that was charged`, () => {
      for (const call of [
        [
          'json.match_schema',
          typeof document === 'string' ? document : JSON.stringify(document),
          typeof schema === 'string' ? schema : JSON.stringify(schema),
        ],
        ['json.verify_schema', typeof schema === 'string' ? schema : JSON.stringify(schema)],
      ] as const)
        assertBounded(call);
    });
  }

  test('any schema and any document: an answer of the right shape', () => {
    const name = fc.constantFrom('a', 'b', 'type', '$ref', 'enum');
    const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 2, withCrossShrink: true },
        fc.boolean(),
        fc.record(
          {
            type: fc.oneof(
              fc.constantFrom('string', 'object', 'number', 'array'),
              fc.constant(['null', 'integer']),
            ),
            $ref: fc.constantFrom('#', '#/properties/a', 'x', '#/definitions/b'),
            properties: fc.dictionary(name, tie('schema')),
            definitions: fc.dictionary(name, tie('schema')),
            additionalProperties: tie('schema'),
            items: fc.oneof(tie('schema'), fc.array(tie('schema'))),
            anyOf: fc.array(tie('schema')),
            not: tie('schema'),
            minimum: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string()),
            required: fc.array(name),
            enum: fc.array(fc.jsonValue()),
          },
          { requiredKeys: [] },
        ),
      ),
    }));
    fc.assert(
      fc.property(schema, fc.jsonValue(), (one, document) => {
        const verified = run('json.verify_schema', [JSON.stringify(one)]);
        const matched = run('json.match_schema', [JSON.stringify(document), JSON.stringify(one)]);
        if (!Array.isArray(verified) || !Array.isArray(matched)) return;
        assert.equal(verified[0], true);
        assert.equal(matched[0], (matched[1] as RegoValue[]).length === 0);
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});

function numbered(count: number): Readonly<Record<string, object>> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, {}]));
}

function assertBounded([name, ...args]: readonly [string, ...string[]]): void {
  run(name, args);
}

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

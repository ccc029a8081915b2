import type { JsonObject } from '@portcullis/contract';
import { fromJson } from '../../values/json-values.ts';
import type { RegoValue } from '../../values/rego-value.ts';
import type { Draft } from './sub-schema.ts';

interface MetaSchema {
  readonly draft: Draft;
  read(): JsonObject;
}

/** The schemas of schemas: the only ones that are known without being in an operand. */
const META_SCHEMAS: ReadonlyMap<string, MetaSchema> = new Map([
  ['http://json-schema.org/draft-04/schema', { draft: 4, read: draft4 }],
  ['http://json-schema.org/draft-06/schema', { draft: 6, read: draft6 }],
  ['http://json-schema.org/draft-07/schema', { draft: 7, read: draft7 }],
]);

/** Undefined for an address of something else. */
export function draftOfAddress(address: string): Draft | undefined {
  return META_SCHEMAS.get(address)?.draft;
}

/** The schema of schemas at an address. */
export function metaSchema(address: string): RegoValue | undefined {
  const found = META_SCHEMAS.get(address);
  return found === undefined ? undefined : fromJson(found.read());
}

const SCHEMA: JsonObject = { $ref: '#' };
const SCHEMAS: JsonObject = { $ref: '#/definitions/schemaArray' };
const SIMPLE_TYPE: JsonObject = { $ref: '#/definitions/simpleTypes' };
const TEXT: JsonObject = { type: 'string' };
const NUMBER: JsonObject = { type: 'number' };
const FLAG: JsonObject = { type: 'boolean' };
const BY_NAME: JsonObject = { type: 'object', additionalProperties: SCHEMA };

/** What all drafts have; the name of a size changed, and of the least texts in a list. */
function common(size: string, texts: JsonObject): JsonObject {
  const [any, fromZero] = [{ $ref: `#/definitions/${size}` }, { $ref: `#/definitions/${size}Default0` }];
  return {
    definitions: {
      schemaArray: { type: 'array', minItems: 1, items: SCHEMA },
      [size]: { type: 'integer', minimum: 0 },
      [`${size}Default0`]: { allOf: [any, { default: 0 }] },
      simpleTypes: { enum: ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'] },
      stringArray: { type: 'array', items: TEXT, uniqueItems: true, ...texts },
    },
    properties: {
      $schema: TEXT,
      title: TEXT,
      description: TEXT,
      maximum: NUMBER,
      minimum: NUMBER,
      maxLength: any,
      minLength: fromZero,
      pattern: { type: 'string', format: 'regex' },
      items: { anyOf: [SCHEMA, SCHEMAS] },
      maxItems: any,
      minItems: fromZero,
      uniqueItems: FLAG,
      maxProperties: any,
      minProperties: fromZero,
      required: { $ref: '#/definitions/stringArray' },
      definitions: BY_NAME,
      properties: BY_NAME,
      patternProperties: BY_NAME,
      dependencies: {
        type: 'object',
        additionalProperties: { anyOf: [SCHEMA, { $ref: '#/definitions/stringArray' }] },
      },
      enum: { type: 'array', minItems: 1, uniqueItems: true },
      type: { anyOf: [SIMPLE_TYPE, { type: 'array', items: SIMPLE_TYPE, minItems: 1, uniqueItems: true }] },
      format: TEXT,
      allOf: SCHEMAS,
      anyOf: SCHEMAS,
      oneOf: SCHEMAS,
      not: SCHEMA,
    },
  };
}

function draft4(): JsonObject {
  const { definitions, properties } = common('positiveInteger', { minItems: 1 });
  const flagOrSchema = { anyOf: [FLAG, SCHEMA] };
  return {
    id: 'http://json-schema.org/draft-04/schema#',
    $schema: 'http://json-schema.org/draft-04/schema#',
    definitions,
    type: 'object',
    properties: {
      ...(properties as JsonObject),
      id: TEXT,
      multipleOf: { type: 'number', minimum: 0, exclusiveMinimum: true },
      exclusiveMaximum: FLAG,
      exclusiveMinimum: FLAG,
      additionalItems: flagOrSchema,
      additionalProperties: flagOrSchema,
    },
    dependencies: { exclusiveMaximum: ['maximum'], exclusiveMinimum: ['minimum'] },
  };
}

function draft6(): JsonObject {
  const { definitions, properties } = common('nonNegativeInteger', {});
  const reference = { type: 'string', format: 'uri-reference' };
  return {
    $id: 'http://json-schema.org/draft-06/schema#',
    $schema: 'http://json-schema.org/draft-06/schema#',
    definitions,
    type: ['object', 'boolean'],
    properties: {
      ...(properties as JsonObject),
      $id: reference,
      $schema: { type: 'string', format: 'uri' },
      $ref: reference,
      examples: { type: 'array' },
      multipleOf: { type: 'number', exclusiveMinimum: 0 },
      exclusiveMaximum: NUMBER,
      exclusiveMinimum: NUMBER,
      additionalItems: SCHEMA,
      contains: SCHEMA,
      additionalProperties: SCHEMA,
      propertyNames: SCHEMA,
    },
  };
}

function draft7(): JsonObject {
  const { properties, ...rest } = draft6();
  return {
    ...rest,
    $id: 'http://json-schema.org/draft-07/schema#',
    $schema: 'http://json-schema.org/draft-07/schema#',
    properties: {
      ...(properties as JsonObject),
      $comment: TEXT,
      readOnly: FLAG,
      patternProperties: { ...BY_NAME, propertyNames: { format: 'regex' } },
      contentMediaType: TEXT,
      contentEncoding: TEXT,
      ...Object.fromEntries(['if', 'then', 'else'].map((name) => [name, SCHEMA])),
    },
  };
}
